"""Templates to labels: LLaVA's, as the one with most turns, and pieces of any kind."""

import json
import random

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers

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
