"""What a checkpoint holds, and what it refuses to be. That training goes on from one is test_resume.py's."""

import json

import pytest
import torch
from safetensors.torch import load_file

from curate.errors import TrainError
from curate.train import checkpoint, train
from curate.train.learner import build
from curate.train.ranks import Ranks

from .shapes import TINY

SETTINGS = {**TINY, "steps": "2", "checkpoint_every": "2", "trainable": "projector", "eval_samples": "2"}


@pytest.fixture
def saved(shapes_run, tmp_path):
    train("llava-tiny", [shapes_run], str(tmp_path), overrides=SETTINGS, progress=lambda _: None)
    (folder,) = checkpoint.saved(tmp_path)
    return folder


def change(folder, **values):
    state = json.loads((folder / "state.json").read_text())
    state["config"].update(values)
    (folder / "state.json").write_text(json.dumps(state))


def test_only_what_learns_is_written(saved):
    weights, moments = (load_file(saved / f"{name}.safetensors") for name in ("model", "optimizer"))
    assert {name.split(".")[0] for name in weights} == {"projector"}
    assert {name.rsplit(":", 1)[0] for name in moments} == set(weights)
    names = {"model.safetensors", "optimizer.safetensors", "tokenizer-language.json"}
    state = json.loads((saved / "state.json").read_text())
    assert set(state["files"]) == names == {path.name for path in saved.iterdir()} - {"state.json"}
    assert set(state["frozen"]) == {"vision", "language"}


def test_only_the_process_that_writes_keeps_copies():
    named = {"a": torch.ones(2)}
    assert checkpoint._written(named, Ranks(0, 2)).keys() == {"a"}
    assert checkpoint._written(named, Ranks(1, 2)) == {}


def test_it_is_read_back_whole(saved):
    learner, origins = checkpoint.restore(saved)
    fresh, weights = build(learner.model.training_config), load_file(saved / "model.safetensors")
    for name, parameter in learner.model.named_parameters():
        expected = weights.get(name, fresh.get_parameter(name))
        assert torch.equal(parameter, expected), name
    moments = {f"{n}:{slot}" for n, p in learner.model.learns().items() for slot in learner.optimizer.state[p]}
    assert moments == set(load_file(saved / "optimizer.safetensors"))
    assert (learner.step, learner.failed, len(origins)) == (2, 0, 1)


def test_other_frozen_weights_are_refused(saved):
    change(saved, seed=1)
    with pytest.raises(TrainError, match="trained with other frozen weights of vision, language"):
        checkpoint.restore(saved)


def test_other_trainable_parts_are_refused(saved):
    change(saved, trainable=["projector", "vision"])
    with pytest.raises(TrainError, match="holds other weights than its settings call for"):
        checkpoint.restore(saved)


def test_settings_of_another_program_are_refused(saved):
    change(saved, telepathy=True)
    with pytest.raises(TrainError, match=r"(?s)broken checkpoint.*telepathy.*Delete that folder"):
        checkpoint.restore(saved)
    (saved / "state.json").write_text('{"format": "curate-checkpoint-1"}')
    with pytest.raises(TrainError, match="not a checkpoint of this program"):
        checkpoint.restore(saved)
