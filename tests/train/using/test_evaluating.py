"""Does it look? What was trained on pictures scores higher with them than with blank or exchanged ones."""

import json

import pytest

from curate.errors import TrainError
from curate.train import train
from curate.train.decoder import Decoding
from curate.train.using.evaluating import Measures, evaluate
from curate.train.using.items import Items
from curate.train.using.opened import open_checkpoint
from curate.train.using.sources import Source, collect
from curate.train.using.speaking import Asking
from train.shapes import SHAPES
from train.tiny import SMALL

SHORT = Asking(Decoding(12))


def measured(model, source, **measures):
    events = []
    measures = Measures(**{"asking": SHORT, **measures})
    items = collect(model, source, asked=measures.asking.question is not None)
    report = evaluate(model, items, measures, events.append)
    json.dumps(report, allow_nan=False)
    return report, events


def looks(figures):
    """Whether a score's interval with pictures lies above those without."""
    return figures["real"]["low"] > max(figures["blank"]["high"], figures["shuffled"]["high"])


@pytest.fixture(scope="module")
def conversations(opened, data):
    return measured(opened("llava-tiny"), Source((data,)))


def test_conversations_are_scored_as_answers_and_as_captions(conversations):
    report, events = conversations
    assert (report["preset"], report["samples"], report["failed"]) == ("llava-tiny", 64, {})
    assert list(report["scores"]) == [
        "exact_match", "VQA_accuracy", "CIDEr", "BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L",
    ]  # fmt: skip
    assert all(list(figures) == ["real", "blank", "shuffled"] for figures in report["scores"].values())
    assert events[-1] == {"event": "asked", "pictures": "shuffled", "done": 64, "of": 64}
    assert looks(report["scores"]["CIDEr"])
    assert looks(report["scores"]["ROUGE-L"])


def test_captions_are_scored(opened, data):
    report, _ = measured(opened("blip2-opt-tiny"), Source((data,), at_most=20), controls=False)
    assert list(report["scores"]) == ["CIDEr", "BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L"]
    assert list(report["scores"]["CIDEr"]) == ["real"]
    assert report["scores"]["BLEU-1"]["real"]["mean"] > 0.3


def test_a_model_that_compares_finds_both_ways_and_again(opened, data):
    report, events = measured(opened("blip2-stage1-tiny"), Source((data,)), rerank=8)
    names = [f"{way}_{again}{name}" for again in ("", "reranked_") for way in ("image_to_text", "text_to_image")
             for name in ("R@1", "R@5", "R@10", "MRR")]  # fmt: skip
    assert list(report["scores"]) == names
    assert looks(report["scores"]["text_to_image_R@10"])
    assert looks(report["scores"]["image_to_text_R@10"])
    # Blank pictures are all alike: none is found before any other.
    assert report["scores"]["text_to_image_R@10"]["blank"]["mean"] == 0
    assert {e["event"] for e in events} == {"embedded", "re-ranked"}
    once, _ = measured(opened("blip2-stage1-tiny"), Source((data,), at_most=4), rerank=0)
    assert list(once["scores"]) == names[:8]


def test_a_model_that_does_both_is_measured_by_both(opened, data):
    report, _ = measured(opened("fromage-tiny"), Source((data,)))
    assert {"CIDEr", "text_to_image_R@1"} <= report["scores"].keys()
    assert looks(report["scores"]["text_to_image_R@10"])


@pytest.mark.parametrize(
    ("preset", "changed", "talks"),
    [
        ("instructblip-tiny", {}, True),
        ("minigpt4-tiny", {"template": "vicuna_v0"}, True),
        ("minigpt4-tiny", {"template": "none"}, False),
        ("blip2-flan-t5-tiny", {"pictures": "random_crop"}, False),
        ("llava-tiny", {"template": "plain"}, False),
    ],
)
def test_any_other_that_speaks_is_measured_by_what_it_was_trained_to_say(data, tmp_path, preset, changed, talks):
    settings = {"steps": "1", "warmup_steps": "0", "batch_size": "4", "checkpoint_every": "1", "eval_samples": "4"}
    train(preset, data, str(tmp_path), overrides={**SMALL[preset], **settings, **changed}, progress=lambda _: None)
    report, _ = measured(open_checkpoint(str(tmp_path)), Source((data,), at_most=5))
    assert (report["samples"], "exact_match" in report["scores"]) == (5, talks)


@pytest.mark.parametrize("preset", ["fromage-tiny", "blip2-stage1-tiny"])
def test_classes_are_told_apart_by_their_names(opened, data, preset):
    report, _ = measured(opened(preset), Source((data,), label="form"), classes=SHAPES, template="a {}")
    assert list(report["scores"]) == ["top-1", "top-5"]
    assert report["scores"]["top-5"]["real"]["mean"] == 1
    assert report["samples"] == 64
    left_out, _ = measured(opened(preset), Source((data,), label="form"), classes=SHAPES[:3], template="a {}")
    assert (left_out["samples"], list(left_out["failed"].values())) == (48, [16])


def test_questions_with_one_picture_cannot_be_shown_another(opened, tmp_path, red):
    lines = [{"image": red.name, "question": q, "answers": ["red"]} for q in ("Colour?", "Which colour?")]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    source = Source(file=("questions", (path,)), pictures=red.parent)
    report, _ = measured(opened("llava-tiny"), source)
    assert report["samples"] == 2
    assert list(report["scores"]["VQA_accuracy"]) == ["real", "blank"]
    with pytest.raises(TrainError, match="compares pictures with captions, and answers no question"):
        measured(opened("blip2-stage1-tiny"), source)
    assert "VQA_accuracy" in measured(opened("fromage-tiny"), source)[0]["scores"]


def test_a_question_too_long_costs_itself(opened, tmp_path, red, blue):
    asked = ((red.name, "why? " * 600), (blue.name, "What?"))
    lines = [{"image": name, "question": question, "answers": ["red"]} for name, question in asked]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    report, _ = measured(opened("llava-tiny"), Source(file=("questions", (path,)), pictures=red.parent))
    ((reason, count),) = report["failed"].items()
    assert (report["samples"], count) == (1, 1)
    assert "the question is too long" in reason


def test_captions_want_a_question_of_a_model_that_talks(opened, data):
    with pytest.raises(TrainError, match="no sample can be used: give a question in words"):
        measured(opened("llava-tiny"), Source((data,), at_most=2), asking=Asking(question=""))
    asked, _ = measured(
        opened("llava-tiny"), Source((data,), at_most=2), asking=Asking(Decoding(4), "What is this?"), controls=False
    )
    assert "exact_match" not in asked["scores"]


@pytest.mark.parametrize(
    ("preset", "measures", "says"),
    [
        ("llava-tiny", {"classes": SHAPES}, "has no vectors"),
        ("fromage-tiny", {"classes": SHAPES, "template": "a photo"}, "no place for a class"),
        ("blip2-stage1-tiny", {"classes": ("...",), "template": "{}"}, "caption_missing"),
        ("blip2-stage1-tiny", {"classes": ("circles",)}, r"class 'circle' is not one of --classes.*'circles'"),
    ],
)
def test_what_cannot_be_measured_says_why(opened, data, preset, measures, says):
    items = collect(opened(preset), Source((data,), label="form"))
    with pytest.raises(TrainError, match=says):
        evaluate(opened(preset), Items(items.found[:2]), Measures(**measures), lambda _: None)
