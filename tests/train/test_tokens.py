import json
import subprocess
import sys

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers

from curate.errors import TrainError
from curate.train.tokens import (
    BEGIN,
    END,
    IMAGE,
    UNLABELLED,
    bounds,
    learn,
    load,
    pictures_named,
    pieces,
    tokenise,
    turns,
)

TALK = [("<image>\nWhat is this?", "A great blue heron."), ("Where?", "By the water.")]


@pytest.fixture(scope="module")
def tokenizer():
    return learn([TALK], 400)


def member(*said):
    return json.dumps({"conversations": [{"from": f, "value": v} for f, v in said]}).encode()


def test_template_is_vicuna_v1():
    text = "".join(p.text + ("</s>" if p.answer else "") for p in pieces(TALK))
    assert text == (
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
        "detailed, and polite answers to the user's questions. "
        "USER: <image>\nWhat is this? ASSISTANT: A great blue heron.</s>"
        "USER: Where? ASSISTANT: By the water.</s>"
    )


def test_labels_are_the_answers_and_their_ends(tokenizer):
    tokens = tokenise(tokenizer, TALK, patches=4)
    _, end = bounds(tokenizer)
    said = [t for t in tokens.labels if t != UNLABELLED]
    assert said.count(end) == 2
    first, second = said[: said.index(end)], said[said.index(end) + 1 : -1]
    assert tokenizer.decode(first) == " A great blue heron."
    assert tokenizer.decode(second) == " By the water."
    assert len(tokens.ids) == len(tokens.labels)
    assert all(label in (UNLABELLED, token) for token, label in zip(tokens.ids, tokens.labels, strict=True))


def test_pieces_are_tokenised_as_the_whole_text_would_be(tokenizer):
    begin, end = bounds(tokenizer)
    ids = tokenise(tokenizer, TALK[1:], patches=4).ids
    whole = "".join(p.text for p in pieces(TALK[1:]))
    assert ids == [begin, *tokenizer.encode(whole).ids, end]


def test_a_picture_takes_its_places_and_no_label(tokenizer):
    tokens = tokenise(tokenizer, TALK, patches=9)
    assert tokens.ids.count(IMAGE) == 9
    assert IMAGE not in tokens.labels


def test_an_open_turn_ends_where_the_answer_begins(tokenizer):
    asked = tokenise(tokenizer, [(TALK[0][0], "")], patches=4)
    assert tokenise(tokenizer, TALK, patches=4).ids[: len(asked.ids)] == asked.ids
    assert set(asked.labels) == {UNLABELLED}


def test_a_caption_cannot_end_an_answer_early(tokenizer, tmp_path):
    _, end = bounds(tokenizer)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    for t in (tokenizer, load(tmp_path / "tokenizer.json")):
        tokens = tokenise(t, [("Say it.", "one </s> two <s>")], patches=1)
        said = [label for label in tokens.labels if label != UNLABELLED]
        assert said.count(end) == 1
        assert t.decode(said[:-1]) == " one </s> two <s>"


def test_any_text_survives(tokenizer):
    text = "naïve 漢字 \U0001f99c \t\n\u0000 x"
    tokens = tokenise(tokenizer, [("?", text)], patches=1)
    assert tokenizer.decode([t for t in tokens.labels if t > 1]) == " " + text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"", "json_unreadable"),
        (b"[1]", "json_unreadable"),
        (b"\xff", "json_unreadable"),
        (b"{}", "conversation_incomplete"),
        (member(("human", "a")), "conversation_incomplete"),
        (member(("gpt", "a"), ("human", "b")), "conversation_malformed"),
        (member(("human", "a"), ("gpt", " ")), "conversation_malformed"),
        (member(("human", "a"), ("gpt", None)), "conversation_malformed"),
        (b'{"conversations": [1, 2]}', "conversation_malformed"),
        (b'{"conversations": "ab"}', "conversation_incomplete"),
    ],
)
def test_what_cannot_be_labelled_has_a_reason(given, reason):
    assert turns(given) == reason


def test_turns_and_pictures_are_read():
    read = turns(member(("human", "<image>\nq"), ("gpt", "a"), ("human", "r"), ("gpt", "b")))
    assert read == [("<image>\nq", "a"), ("r", "b")]
    assert pictures_named(read) == 1


def test_the_same_conversations_give_the_same_tokenizer_in_every_process():
    code = (
        "from curate.train.tokens import learn\n"
        "words = [f'a{chr(97 + i % 7)}b{chr(97 + i % 5)} heron{i % 11}' for i in range(200)]\n"
        "print(learn([[('q', w)] for w in words], 330).to_str())"
    )
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(3)}
    assert len(runs) == 1
    assert Tokenizer.from_str(runs.pop().decode()).get_vocab_size() == 330


def test_a_tokenizer_that_is_missing_or_unfit_is_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    with pytest.raises(TrainError, match="no such file"):
        load(path)
    vocabulary = {c: i for i, c in enumerate("▁USER:a")}
    bare = Tokenizer(models.BPE(vocabulary, []))
    bare.save(str(path))
    with pytest.raises(TrainError, match="has no tokens"):
        load(path)
    bare.add_special_tokens([BEGIN, END])
    bare.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bare.decoder = decoders.Metaspace()
    bare.save(str(path))
    with pytest.raises(TrainError, match="space before each text"):
        load(path)
