"""MiniGPT-4's samples, which are untrusted: a question may be of any length."""

import json
import random

import pytest
import torch

from curate.train.architectures.minigpt4 import MiniGpt4, MiniGpt4Examples
from curate.train.presets import configure
from curate.train.samples import Sample
from curate.train.template import UNLABELLED, Unusable
from curate.train.vocabulary import BEGIN, END, learn

PRESET = {"template": "vicuna_v0", "language.context": "96", "text_tokens": "8"}


@pytest.fixture(scope="module")
def examples():
    words = learn(["###Human: <Img></Img> What is this? ###Assistant: A heron.###"], 300, (BEGIN, END))
    return MiniGpt4Examples(configure("minigpt4-tiny", PRESET), {"language": words})


def sample(question, answer):
    said = [{"from": "human", "value": f"<image>{question}"}, {"from": "gpt", "value": answer}]
    return Sample({"json": json.dumps({"conversations": said}).encode(), "png": b""}, random.Random(0))


def test_a_question_longer_than_the_context_is_not_read(examples):
    with pytest.raises(Unusable, match="longer_than_context"):
        examples.example(sample("why? " * 100, "A heron."))


def test_an_answer_is_cut_to_its_tokens(examples):
    text = examples.example(sample("What is this?", "A heron. " * 100)).text
    said = [label for label in text.labels if label != UNLABELLED]
    assert len(said) == 8
    assert text.labels[-8:] == text.ids[-8:] == said


@pytest.mark.parametrize("grouped", [1, 2, 4, 5, 13])
def test_grouped_patches_take_their_places_without_the_class_token(grouped):
    sizes = {"kind": "eva", "image_size": "70", "patch": "14", "width": "32", "heads": "2", "feedforward": "48"}
    config = configure("minigpt4-tiny", {**{f"vision.{n}": v for n, v in sizes.items()}, "grouped": str(grouped)})
    model = MiniGpt4(config)
    seen = model.look(torch.zeros(1, 3, 70, 70))
    assert seen.shape == (1, config.places, 32 * grouped)
    last = model.norm(model.vision(torch.zeros(1, 3, 70, 70)))[0, -1]
    assert torch.equal(seen[0, -1, -32:], last)
