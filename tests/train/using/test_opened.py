"""A checkpoint opened to be used is the one that was saved, without what only training needs."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from curate.errors import TrainError
from curate.train import checkpoint
from curate.train.using.opened import chunks, open_checkpoint
from train.shapes import draw


def test_it_holds_the_weights_that_training_would_go_on_with(folder, opened):
    learner, _ = checkpoint.restore(checkpoint.newest(Path(folder("llava-tiny"))))
    ours, theirs = opened("llava-tiny").trained.model.state_dict(), learner.model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not opened("llava-tiny").trained.model.training


def test_the_optimizer_is_not_needed_and_the_weights_are(folder, tmp_path):
    moved = shutil.copytree(checkpoint.newest(Path(folder("llava-tiny"))), tmp_path / "moved")
    (moved / "optimizer.safetensors").unlink()
    assert open_checkpoint(str(moved)).config.preset == "llava-tiny"
    with (moved / "model.safetensors").open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"\xff\xff")
    with pytest.raises(TrainError, match=r"model\.safetensors changed"):
        open_checkpoint(str(moved))


def test_pictures_that_training_crops_are_squeezed(opened):
    llava = opened("llava-tiny")
    assert llava.transform.fit == "pad"
    own = replace(llava.trained.examples.transform, fit="random_crop")
    trained = replace(llava.trained)
    trained.__dict__["examples"] = type("Examples", (), {"transform": own})
    cropping = replace(llava, trained=trained)
    picture = draw("red", "cross", "left")
    expected = replace(own, fit="squeeze").decode(picture, random.Random(1))
    assert (cropping.decoded(picture) == expected).all()


@pytest.mark.parametrize(
    ("preset", "ask", "says"),
    [
        ("llava-tiny", "embeds", "has no vectors to compare them by. Use `curate generate`"),
        ("blip2-opt-tiny", "reads", "has no vectors to compare them by"),
        ("blip2-stage1-tiny", "speaks", "says nothing. Use `curate retrieve`"),
    ],
)
def test_what_it_cannot_do_names_what_to_use(opened, preset, ask, says):
    with pytest.raises(TrainError, match=says):
        getattr(opened(preset), ask)()


@pytest.mark.parametrize(
    ("preset", "able"),
    [
        ("llava-tiny", (1, 0, 0)),
        ("blip2-opt-tiny", (1, 0, 0)),
        ("blip2-stage1-tiny", (0, 1, 1)),
        ("fromage-tiny", (1, 1, 0)),
    ],
)
def test_what_it_can_do(opened, preset, able):
    model = opened(preset)
    for ability, expected in zip(("speaks", "embeds"), able, strict=False):
        if expected:
            assert getattr(model, ability)() is model.model
    assert (model.reranks is not None) == bool(able[2])


def test_chunks_are_all_of_it_in_order():
    assert [list(c) for c in chunks(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
