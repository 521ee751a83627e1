import json
import random

import pytest

from curate.train.samples import Sample
from curate.train.template import Unusable


def talk(*said):
    return json.dumps({"conversations": [{"from": f, "value": v} for f, v in said]}).encode()


def sample(facts, **members):
    return Sample(
        {"json": facts if isinstance(facts, bytes) else json.dumps(facts).encode(), **members}, random.Random(0)
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"", "json_unreadable"),
        (b"[1]", "json_unreadable"),
        (b"\xff", "json_unreadable"),
        (b"[" * 200_000, "json_unreadable"),
        (b'{"step": ' + b"1" * 5_000 + b"}", "json_unreadable"),
        (talk(("human", "half \ud83d"), ("gpt", "a")), "conversation_malformed"),
        (b"{}", "conversation_incomplete"),
        (talk(("human", "a")), "conversation_incomplete"),
        (talk(("gpt", "a"), ("human", "b")), "conversation_malformed"),
        (talk(("human", "a"), ("gpt", " ")), "conversation_malformed"),
        (talk(("human", "a"), ("gpt", None)), "conversation_malformed"),
        (b'{"conversations": [1, 2]}', "conversation_malformed"),
        (b'{"conversations": "ab"}', "conversation_incomplete"),
        (talk(("human", "<image> a"), ("gpt", "b")), "pictures_and_placeholders_differ"),
    ],
)
def test_what_cannot_be_labelled_has_a_reason(given, reason):
    with pytest.raises(Unusable) as error:
        sample(given).turns()
    assert str(error.value) == reason


def test_turns_are_read():
    read = sample(talk(("human", "<image>\nq"), ("gpt", "a"), ("human", "r"), ("gpt", "b")), png=b"x").turns()
    assert read == [("<image>\nq", "a"), ("r", "b")]


@pytest.mark.parametrize(
    ("facts", "captions"),
    [
        ({"caption": " A heron. "}, ["A heron."]),
        ({"captions": [{"text": "best", "score": 0.4}, "second"], "caption": "third"}, ["best", "second", "third"]),
        ({"captions": [{"text": None}, 3, " "], "caption": "left"}, ["left"]),
        ({"captions": ["same"], "caption": "same"}, ["same"]),
        ({"captions": ["half \ud83d", "whole \U0001f600"]}, ["whole \U0001f600"]),
    ],
)
def test_captions_are_read_best_first(facts, captions):
    assert sample(facts).captions() == captions


@pytest.mark.parametrize("facts", [{}, {"caption": None}, {"caption": "  "}, {"captions": "abc"}])
def test_no_caption_is_a_reason(facts):
    with pytest.raises(Unusable, match="caption_missing"):
        sample(facts).captions()


def test_no_picture_is_a_reason():
    with pytest.raises(Unusable, match="picture_missing"):
        sample({}).seen()
    assert sample({}, webp=b"p").seen() == b"p"
