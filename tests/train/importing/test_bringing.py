"""From a file that somebody published to a folder that training starts from."""

import json
import os
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from curate.errors import TrainError
from curate.train.importing.bringing import import_checkpoint
from curate.train.importing.files import read
from curate.train.learner import build
from curate.train.presets import configure
from curate.train.vocabulary import learn

from . import tiny

SMALL = {"vision.kind": "eva"} | tiny.overrides("opt")


@pytest.fixture
def projector(tmp_path):
    torch.manual_seed(3)
    tensors = {
        "model.mm_projector.0.weight": torch.randn(32, 32), "model.mm_projector.0.bias": torch.randn(32),
        "model.mm_projector.2.weight": torch.randn(32, 32), "model.mm_projector.2.bias": torch.randn(32),
    }  # fmt: skip
    torch.save(tensors, tmp_path / "mm_projector.bin")
    return tensors


def bring(path, out, kind="llava", preset="llava-tiny", overrides=None):
    return import_checkpoint(kind, path, preset, tiny.overrides("llava") if overrides is None else overrides, out)


def test_a_projector_starts_a_model(projector, tmp_path):
    bring(tmp_path / "mm_projector.bin", tmp_path / "out")
    model = build(configure("llava-tiny", tiny.overrides("llava") | {"start_from": str(tmp_path / "out")}))
    assert torch.equal(model.projector[2].weight, projector["model.mm_projector.2.weight"])
    fresh = build(configure("llava-tiny", tiny.overrides("llava")))
    assert torch.equal(model.language.lm_head.weight, fresh.language.lm_head.weight)


def test_a_linear_projector_is_llava_ones(tmp_path):
    state = {"model.mm_projector.weight": torch.ones(32, 32), "model.mm_projector.bias": torch.ones(32)}
    torch.save(state, tmp_path / "a.bin")
    linear = tiny.overrides("llava") | {"projector": "linear"}
    done = bring(tmp_path / "a.bin", tmp_path / "out", overrides=linear)
    assert done.taken.weights.keys() == {"projector.weight", "projector.bias"}
    with pytest.raises(TrainError, match=r"2 tensors have no place .*mm_projector\.bias \(projector\.bias here\)"):
        bring(tmp_path / "a.bin", tmp_path / "other")


def test_half_floats_stay_half_and_names_are_nested(tmp_path):
    state = {"llama_proj.weight": torch.ones(32, 32).half(), "llama_proj.bias": torch.ones(32).half()}
    torch.save({"model": state, "optimizer": {"lr": 0.1}, "epoch": 3}, tmp_path / "m.pth")
    bring(tmp_path / "m.pth", tmp_path / "out", "minigpt4", "minigpt4-tiny", SMALL | {"grouped": "0"})
    held = load_file(tmp_path / "out" / "model.safetensors")
    assert held.keys() == {"projector.weight", "projector.bias"}
    assert held["projector.bias"].dtype == torch.float16


def test_several_folders_start_a_model_and_one_fills_a_part(tmp_path):
    ours = build(configure("blip2-opt-tiny", SMALL))
    vision = {f"vision.{name}": tensor for name, tensor in ours.vision.state_dict().items()}
    for name, tensors in {"a": vision, "b": {"projector.bias": torch.ones(32)}}.items():
        (tmp_path / name).mkdir()
        save_file({n: t.clone() for n, t in tensors.items()}, tmp_path / name / "model.safetensors")
    start = {"start_from": f"{tmp_path}/a,{tmp_path}/b", "seed": "5"}
    model = build(configure("blip2-opt-tiny", SMALL | start))
    assert torch.equal(model.vision.positions, ours.vision.positions)
    assert torch.equal(model.projector.bias, torch.ones(32))
    alone = build(configure("blip2-opt-tiny", SMALL | {"vision_from": f"{tmp_path}/a", "seed": "5"}))
    assert torch.equal(alone.vision.positions, ours.vision.positions)


def test_a_tokenizer_comes_along_without_what_was_added_for_pictures(projector, tmp_path):
    words = learn(["a b c"], 290, ["<s>", "</s>"]).with_token("<image>")
    words.tokenizer.save(str(tmp_path / "tokenizer.json"))
    size = len(words) - 1
    (tmp_path / "config.json").write_text(json.dumps({"image_token_index": size}))
    theirs = tiny.theirs("llava", tiny.ROWS)
    theirs.config.image_token_index = size
    theirs.save_pretrained(tmp_path / "hf")
    words.tokenizer.save(str(tmp_path / "hf" / "tokenizer.json"))
    done = bring(tmp_path / "hf", tmp_path / "out", "hf-llava")
    assert done.tokenizers == ("tokenizer-language.json",)
    kept = Tokenizer.from_file(str(tmp_path / "out" / "tokenizer-language.json"))
    assert (kept.get_vocab_size(), kept.token_to_id("<image>")) == (size, None)


def test_a_second_import_does_not_overwrite(projector, tmp_path):
    bring(tmp_path / "mm_projector.bin", tmp_path / "out")
    with pytest.raises(TrainError, match=r"holds a model\.safetensors already"):
        bring(tmp_path / "mm_projector.bin", tmp_path / "out")


def test_unknown_kinds_are_told(tmp_path):
    with pytest.raises(TrainError, match=r"no kind of checkpoint named 'lava'\. Did you mean 'llava'"):
        bring(tmp_path, tmp_path / "out", "lava")


class Command:
    def __reduce__(self):
        return os.system, ("touch ran",)


def test_a_pickle_that_would_run_code_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Command()}, tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Command(), protocol=2))
    for name in ("a.pth", "b.pth"):
        with pytest.raises(TrainError, match="could run code and is not read"):
            read(tmp_path / name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_broken_files_are_told(name, projector, tmp_path):
    whole = (tmp_path / "mm_projector.bin").read_bytes()
    for size in (0, 1, 10, 100, 1000, len(whole) - 1):
        (tmp_path / name).write_bytes(whole[:size])
        with pytest.raises(TrainError, match=name):
            read(tmp_path / name)


@pytest.mark.parametrize(
    "held", [[], {}, {"a": 1}, {1: torch.ones(1)}, {"a": torch.ones(2, 2).to_sparse()}, {"model": {"a": "b"}}]
)
def test_what_is_no_state_is_told(held, tmp_path):
    torch.save(held, tmp_path / "a.pth")
    with pytest.raises(TrainError, match=r"no tensors by name|no plain tensor"):
        read(tmp_path / "a.pth")


def test_integers_are_no_weights(tmp_path):
    torch.save({"model.mm_projector.weight": torch.ones(32, 32, dtype=torch.int8)}, tmp_path / "a.bin")
    with pytest.raises(TrainError, match=r"holds torch\.int8"):
        bring(tmp_path / "a.bin", tmp_path / "out", overrides=tiny.overrides("llava") | {"projector": "linear"})


def test_a_folder_is_read_whole_and_no_name_twice(tmp_path):
    save_file({"a": torch.ones(1)}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b": torch.ones(1)}, tmp_path / "model-00002-of-00002.safetensors")
    torch.save({"c": torch.ones(1)}, tmp_path / "pytorch_model.bin")
    assert read(tmp_path)[0].keys() == {"a", "b"}
    save_file({"b": torch.ones(1)}, tmp_path / "more.safetensors")
    with pytest.raises(TrainError, match="holds b once more"):
        read(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainError, match="no weights there"):
        read(tmp_path / "empty")
