"""Held-out samples are exactly those that training held out; benchmark files are read with their pictures."""

import json

import pytest

from curate.errors import TrainError
from curate.train.mixture import open_mixture
from curate.train.using.sources import Source, collect, open_run

from .models import QUESTION


def test_held_out_is_what_training_held_out(opened, data):
    llava = opened("llava-tiny")
    mixture = open_mixture([data], llava.config)
    trained = {mixture.key(mixture.training(place)) for place in range(mixture.trained)}
    found = [item.key for item in collect(llava, Source(held_out=True)).found]
    every = [item.key for item in collect(llava, Source((data,))).found]
    assert len(found) == llava.config.held_out == 8
    assert not trained & set(found)
    assert trained | set(found) == set(every)
    assert [item.key for item in collect(llava, Source((data,), held_out=True, at_most=3)).found] == found[:3]


def test_other_data_was_not_held_out(opened, make_run):
    from .models import shapes

    with pytest.raises(TrainError, match="was fed dataset version"):
        collect(opened("llava-tiny"), Source((make_run(shapes()[:40]),), held_out=True))


def test_a_run_is_posed_as_the_architecture_was_trained(opened, data):
    (talk,) = collect(opened("llava-tiny"), Source((data,), at_most=1)).found
    (asked,) = collect(opened("llava-tiny"), Source((data,), at_most=1), asked=True).found
    (caption,) = collect(opened("blip2-opt-tiny"), Source((data,), at_most=1)).found
    assert (talk.question, talk.posed.talks, asked.question, caption.question) == (QUESTION, True, "", "")
    assert talk.answers == asked.answers == caption.answers == ("A red circle on the left.",)


@pytest.fixture
def files(tmp_path, red):
    captions = [{"image_id": 7, "caption": c} for c in ("a red circle", "a circle that is red")]
    sentences = [{"raw": c["caption"]} for c in captions]
    written = {
        "coco": {"images": [{"id": 7, "file_name": "red.png"}], "annotations": captions},
        "karpathy": {"images": [{"split": "val", "filename": "red.png", "sentences": sentences}]},
        "captions": {"image": "red.png", "captions": [c["caption"] for c in captions]},
        "questions": {"image": "red.png", "question": "Which colour?", "answers": ["red", "crimson"]},
        "vqa-q": {"questions": [{"image_id": 7, "question_id": 1, "question": "Which colour?"}]},
        "vqa-a": {"annotations": [{"question_id": 1, "answers": [{"answer": "red"}, {"answer": "crimson"}]}]},
    }
    for name, content in written.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "7.png").write_bytes(red.read_bytes())
    (tmp_path / "red.png").write_bytes(red.read_bytes())
    return tmp_path


@pytest.mark.parametrize("kind", ["coco", "karpathy", "captions", "questions", "vqa"])
def test_files_are_read_with_their_pictures(opened, files, red, kind):
    named = (files / "vqa-q", files / "vqa-a") if kind == "vqa" else (files / kind,)
    source = Source(file=(kind, named), pictures=files, split="val", names="{image_id}.png")
    (item,) = collect(opened("llava-tiny"), source).found
    assert item.read() == red.read_bytes()
    talks = kind in {"questions", "vqa"}
    assert item.posed.talks == talks
    assert item.answers == (("red", "crimson") if talks else ("a red circle", "a circle that is red"))
    assert item.question == ("Which colour?" if talks else "")
    with pytest.raises(TrainError, match="say with --pictures"):
        collect(opened("llava-tiny"), Source(file=(kind, named)))


def test_no_run_is_refused(opened):
    with pytest.raises(TrainError, match="no data"):
        open_run(opened("llava-tiny"), [])
