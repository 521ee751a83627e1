"""Templates to labels: LLaVA's, as the one with most turns, and pieces of any kind."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from curate.train.architectures.llava import LlavaExamples
from curate.train.presets import configure
from curate.train.samples import Sample
from curate.train.template import IMAGE, UNLABELLED, Mark, Slot, Unusable, Words, assemble
from curate.train.vocabulary import BEGIN, END, Vocabulary, learn, load

TALK = [("<image>\nWhat is this?", "A great blue heron."), ("Where?", "By the water.")]
PATCHES = 16


@pytest.fixture(scope="module")
def words():
    said = (text for text in LlavaExamples.texts(sample(TALK)))
    return learn(said, 400, (BEGIN, END))


@pytest.fixture(scope="module")
def examples(words):
    return LlavaExamples(configure("llava-tiny", {}), {"language": words})


def sample(turns):
    said = [{"from": f, "value": v} for q, a in turns for f, v in (("human", q), ("gpt", a))]
    picture = {"png": b""} if any("<image>" in q for q, _ in turns) else {}
    return Sample({"json": json.dumps({"conversations": said}).encode(), **picture}, random.Random(0))


def test_template_is_vicuna_v1(examples):
    spelled = {Slot: lambda _: "<image>", Mark: lambda p: {examples.begin: "", examples.end: "</s>"}[p.id]}
    text = "".join(spelled.get(type(p), lambda w: w.text)(p) for p in examples.conversation(TALK))
    assert text == (
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
        "detailed, and polite answers to the user's questions. "
        "USER: <image>\nWhat is this? ASSISTANT: A great blue heron.</s>"
        "USER: Where? ASSISTANT: By the water.</s>"
    )


def test_labels_are_the_answers_and_their_ends(examples, words):
    tokens = examples.example(sample(TALK)).text
    said = [t for t in tokens.labels if t != UNLABELLED]
    assert said.count(examples.end) == 2
    first, second = said[: said.index(examples.end)], said[said.index(examples.end) + 1 : -1]
    assert words.tokenizer.decode(first) == " A great blue heron."
    assert words.tokenizer.decode(second) == " By the water."
    assert len(tokens.ids) == len(tokens.labels)
    assert all(label in (UNLABELLED, token) for token, label in zip(tokens.ids, tokens.labels, strict=True))


def test_words_are_tokenised_as_the_whole_text_would_be(examples, words):
    ids = examples.example(sample(TALK[1:])).text.ids
    whole = "".join(p.text for p in examples.conversation(TALK[1:]) if isinstance(p, Words))
    assert ids == [examples.begin, *words.encode(whole).ids, examples.end]


def test_a_picture_takes_its_places_and_no_label(examples):
    tokens = examples.example(sample(TALK)).text
    assert tokens.ids.count(IMAGE) == PATCHES
    assert IMAGE not in tokens.labels


def test_an_open_turn_ends_where_the_answer_begins(examples):
    asked = examples.asked("What is this?").text
    assert examples.example(sample(TALK)).text.ids[: len(asked)] == asked.ids
    assert set(asked.labels) == {UNLABELLED}


def test_a_caption_cannot_end_an_answer_early(examples, words, tmp_path):
    words.tokenizer.save(str(tmp_path / "tokenizer.json"))
    for vocabulary in (words, load(tmp_path / "tokenizer.json")):
        made = LlavaExamples(examples.config, {"language": vocabulary})
        tokens = made.example(sample([("Say it.", "one </s> two <s>")])).text
        said = [label for label in tokens.labels if label != UNLABELLED]
        assert said.count(made.end) == 1
        assert vocabulary.tokenizer.decode(said[:-1]) == " one </s> two <s>"


def test_any_answer_survives(examples, words):
    text = "naïve 漢字 \U0001f99c \t\n\u0000 x"
    tokens = examples.example(sample([("?", text)])).text
    assert words.tokenizer.decode([t for t in tokens.labels if t > examples.end]) == " " + text


@pytest.fixture(scope="module")
def spaced():
    """A tokenizer that, as Llama's does, puts a space before each text and makes it a mark."""
    letters = {c: i for i, c in enumerate("▁USER:aeb. T")}
    made = Tokenizer(models.BPE(letters, []))
    made.add_special_tokens([BEGIN, END])
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Strip(" ", 1, 0)])
    return Vocabulary(made)


def test_a_tokenizer_that_puts_a_space_before_texts_labels_the_answer_alone(spaced):
    tokens = assemble(spaced, (Words("USER: a"), Words(" ab.", answer=True), Mark(spaced.id(END), answer=True)))
    said = [t for t in tokens.labels if t != UNLABELLED]
    assert said[-1] == spaced.id(END)
    assert "".join(spaced.tokenizer.id_to_token(t) for t in said[:-1]) == "▁ab."
    assert tokens.ids[:-1] == spaced.encode("USER: a ab.").ids


def test_an_answer_that_begins_inside_a_token_is_a_reason():
    whole = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    with pytest.raises(Unusable, match="answer_begins_inside_a_token"):
        assemble(Vocabulary(whole), (Words("a"), Words("b", answer=True)))


def test_pieces_stand_in_their_order(words):
    tokens = assemble(words, (Mark(0), Slot(2), Mark(1, answer=True), Slot(1)))
    assert tokens.ids == [0, IMAGE, IMAGE, 1, IMAGE]
    assert tokens.labels == [UNLABELLED] * 3 + [1, UNLABELLED]


def sentencepiece(tokens, merges):
    """Return a tokenizer as Llama's file spells it: bytes for unknown letters, a mark for the space before a text."""
    letters = {t: i for i, t in enumerate(["<unk>", *(f"<0x{n:02X}>" for n in range(256)), *tokens])}
    made = Tokenizer(models.BPE(letters, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return Vocabulary(made)


PIECES = sentencepiece(
    ["▁", "a", "b", ".", ":", "▁a", "ab", "▁ab", ":▁", "..", ".▁"],
    [("▁", "a"), ("a", "b"), ("▁a", "b"), (":", "▁"), (".", "."), (".", "▁")],
)
BYTES = learn(["a ab ab a: ab.. a b"] * 9, 300, (BEGIN, END))


def test_metaspace_puts_its_mark_before_the_text_and_none_before_the_answer():
    tokens = assemble(PIECES, (Words("a:"), Words("ab é", answer=True)))
    named = [PIECES.tokenizer.id_to_token(t) for t in tokens.ids]
    assert named == ["▁a", ":", "ab", "▁", "<0xC3>", "<0xA9>"]
    assert tokens.labels == [UNLABELLED, UNLABELLED, *tokens.ids[2:]]


def test_an_answer_at_the_very_beginning_has_the_mark():
    tokens = assemble(PIECES, (Words("ab", answer=True), Words(" a")))
    assert [PIECES.tokenizer.id_to_token(t) for t in tokens.ids] == ["▁ab", "▁a"]
    assert tokens.labels == [tokens.ids[0], UNLABELLED]


@pytest.mark.parametrize("words", [("a:", " b"), ("a.", ". b"), ("a", "b")])
def test_a_merge_across_the_border_is_a_reason(words):
    with pytest.raises(Unusable, match="answer_begins_inside_a_token"):
        assemble(PIECES, (Words(words[0]), Words(words[1], answer=True)))
    whole = assemble(PIECES, (Words(words[0], answer=True), Words(words[1], answer=True)))
    assert whole.labels == whole.ids == PIECES.encode("".join(words)).ids


@pytest.mark.parametrize("vocabulary", [PIECES, BYTES], ids=["metaspace", "bytes"])
@settings(derandomize=True, deadline=None, max_examples=300)
@given(parts=st.lists(st.tuples(st.text("ab .:é漢🦜", max_size=5), st.booleans()), min_size=1, max_size=4))
def test_labels_are_the_tokens_whose_characters_the_model_says(vocabulary, parts):
    """Tokens are those of the whole text; a token is a label where all that it covers is said, by brute force."""
    text = "".join(part for part, _ in parts)
    said = [answer for part, answer in parts for _ in part]
    encoded = vocabulary.encode(text)
    covered = [set(said[start:end]) for start, end in encoded.spans]
    pieces = [Words(part, answer) for part, answer in parts]
    if any(len(kinds) > 1 for kinds in covered):
        with pytest.raises(Unusable):
            assemble(vocabulary, pieces)
        return
    tokens = assemble(vocabulary, pieces)
    assert tokens.ids == encoded.ids
    for token, label, kinds in zip(tokens.ids, tokens.labels, covered, strict=True):
        assert kinds == set() or label == (token if True in kinds else UNLABELLED)


def test_special_tokens_spelled_in_a_text_are_letters():
    tokens = assemble(BYTES, (Words("a </s> "), Words("<s> b", answer=True), Mark(BYTES.id(END), answer=True)))
    assert tokens.ids.count(BYTES.id(END)) == 1
    assert tokens.ids[-1] == BYTES.id(END)
    assert BYTES.id(BEGIN) not in tokens.ids
    assert BYTES.tokenizer.decode(tokens.ids[:-1]) == "a </s> <s> b"


def test_words_on_either_side_of_a_picture_are_texts_of_their_own():
    tokens = assemble(PIECES, (Words("a"), Slot(1), Words("b"), Words("", answer=True)))
    assert tokens.ids == [*PIECES.encode("a").ids, IMAGE, *PIECES.encode("b").ids]
    assert set(tokens.labels) == {UNLABELLED}


def test_nothing_is_nothing():
    assert len(assemble(BYTES, ())) == len(assemble(BYTES, (Words(""), Slot(0)))) == 0
