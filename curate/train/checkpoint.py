"""Checkpoints: folders that appear whole, hold all that the next step depends on, and say what data made them.

OUT/checkpoints/step-00000100/
    model.safetensors            every weight that learns
    optimizer.safetensors        AdamW's moments by parameter name
    tokenizer-language.json      and one for each other vocabulary
    state.json                   step, failures, settings, dataset versions and their shards, sha256 of the other files
                                 and of the weights that do not learn
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from curate.errors import TrainError
from curate.train.config import Training
from curate.train.corpus import Examples
from curate.train.learner import Learner, build, examples_of, settled
from curate.train.model import Architecture
from curate.train.origin import Origin, Origins
from curate.train.presets import settings
from curate.train.ranks import Ranks
from curate.train.sharding import Placement, divided_like, whole
from curate.train.vocabulary import Vocabulary
from curate.train.vocabulary import load as load_vocabulary
from curate.train.weights import fingerprint

FORMAT = "curate-checkpoint-2"
KEPT = 2
_STATE = "state.json"
_MODEL, _OPTIMIZER = "model.safetensors", "optimizer.safetensors"
_REMEDY = "Delete that folder: training goes on from the checkpoint before it, or starts over where there is none"


@dataclass(frozen=True)
class State:
    """What a checkpoint says of itself."""

    config: Training
    origins: Origins
    step: int
    failed: int
    files: Mapping[str, str]
    """sha256 of each other file."""
    frozen: Mapping[str, str]
    """sha256 of each part that did not learn."""


@dataclass(frozen=True)
class Trained:
    """A model to be used: no optimizer, no dropout."""

    model: Architecture
    vocabularies: dict[str, Vocabulary]
    state: State

    @cached_property
    def examples(self) -> Examples:
        """How samples are read for this model."""
        return examples_of(self.state.config, self.vocabularies)


def save(out: Path, learner: Learner, origins: Origins, among: Ranks) -> None:
    """Write a checkpoint under `out` in one step, then delete all but the newest two; the first process does."""
    weights = _written(learner.model.learns(), among)
    moments = _written(_moments(learner), among)
    if among.first:
        _write(out, learner, origins, {_MODEL: weights, _OPTIMIZER: moments})
    among.wait()


def _written(named: Mapping[str, torch.Tensor], among: Ranks) -> dict[str, torch.Tensor]:
    """Return tensors as the first process writes them; the others help to bring each together, and keep none.

    LLaVA 7B learns with 84 GB of weights and moments: too much for each of eight processes of one machine.
    """
    kept = {}
    for name, tensor in named.items():
        brought = whole(tensor.detach())
        if among.first:
            kept[name] = brought.cpu().contiguous()
    return kept


def _write(out: Path, learner: Learner, origins: Origins, tensors: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
    folder = _folder(out)
    draft = folder / ".tmp-checkpoint"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, named in tensors.items():
        save_file(dict(named), draft / name)
    for name, vocabulary in learner.vocabularies.items():
        vocabulary.tokenizer.save(str(draft / _vocabulary_file(name)))
    (draft / _STATE).write_text(_spelled(draft, learner, origins), encoding="utf-8")
    for path in [*draft.iterdir(), draft]:
        _sync(path)
    target = folder / f"step-{learner.step:08d}"
    draft.rename(target)
    _sync(folder)
    for old in saved(out)[:-KEPT]:
        shutil.rmtree(old)


def saved(out: Path) -> list[Path]:
    """Return the checkpoints under `out`, oldest first."""
    return sorted(_folder(out).glob("step-*"))


def newest(folder: Path) -> Path:
    """Return the checkpoint at `folder`, or the newest one that `curate train` wrote under it.

    Raises:
        TrainError: there is none.
    """
    if (folder / _STATE).exists():
        return folder
    checkpoints = saved(folder)
    if not checkpoints:
        raise TrainError(f"{folder}: holds no checkpoint. Give a folder that `curate train --out` wrote to")
    return checkpoints[-1]


def restore(folder: Path, place: Placement | None = None) -> tuple[Learner, Origins]:
    """Read a checkpoint back, whole.

    Raises:
        TrainError: it is broken, of another format, or its frozen weights are not those it was trained with.
    """
    state = read_state(folder)
    _require_whole(folder, state.files)
    model, vocabularies = _load(folder, state.config)
    learner = settled(model, vocabularies, place or Placement())
    _put_moments(model, learner.optimizer, load_file(folder / _OPTIMIZER))
    learner.step, learner.failed = state.step, state.failed
    _require_frozen(folder, state.frozen, learner.frozen)
    return learner, state.origins


def open_model(folder: Path) -> Trained:
    """Read a checkpoint to use its model: all but what only training needs.

    Raises:
        TrainError: it is broken, of another format, or its frozen weights are not those it was trained with.
    """
    state = read_state(folder)
    _require_whole(folder, {name: sha256 for name, sha256 in state.files.items() if name != _OPTIMIZER})
    model, vocabularies = _load(folder, state.config)
    _require_frozen(folder, state.frozen, {name: fingerprint(part) for name, part in model.frozen()})
    Placement().settle(model)
    return Trained(model.eval(), vocabularies, state)


def read_state(folder: Path) -> State:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        TrainError: there is no checkpoint, or one of another format.
    """
    said = _read_json(folder)
    try:
        origins = tuple(Origin.from_json(data) for data in said["data"])
        step, failed = int(said["step"]), int(said["failed"])
        return State(settings(said["config"]), origins, step, failed, dict(said["files"]), dict(said["frozen"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TrainError(f"{folder}: broken checkpoint ({type(error).__name__}: {error}). {_REMEDY}") from error


def _load(folder: Path, config: Training) -> tuple[Architecture, dict[str, Vocabulary]]:
    model = build(config)
    learns, weights = model.learns(), load_file(folder / _MODEL)
    if learns.keys() != weights.keys():
        raise TrainError(f"{folder}: holds other weights than its settings call for. {_REMEDY}")
    with torch.no_grad():
        for name, parameter in learns.items():
            parameter.copy_(weights[name])
    vocabularies = {
        path.stem.removeprefix("tokenizer-"): load_vocabulary(path) for path in sorted(folder.glob("tokenizer-*.json"))
    }
    return model, vocabularies


def _require_whole(folder: Path, files: Mapping[str, str]) -> None:
    broken = [name for name, sha256 in files.items() if not _is(folder / name, sha256)]
    if broken:
        raise TrainError(f"{folder}: {', '.join(broken)} changed since it was written. {_REMEDY}")


def _require_frozen(folder: Path, then: Mapping[str, str], now: Mapping[str, str]) -> None:
    differing = [name for name, sha256 in now.items() if then.get(name) != sha256]
    if differing:
        raise TrainError(
            f"{folder}: was trained with other frozen weights of {', '.join(differing)} than are here now. "
            "Put those back where its settings say they come from"
        )


def _folder(out: Path) -> Path:
    return out / "checkpoints"


def _vocabulary_file(name: str) -> str:
    return f"tokenizer-{name}.json"


def _spelled(draft: Path, learner: Learner, origins: Origins) -> str:
    content = {
        "format": FORMAT,
        "step": learner.step,
        "failed": learner.failed,
        "config": learner.model.training_config.model_dump(mode="json"),
        "data": [origin.to_json() for origin in origins],
        "files": {path.name: _sha256(path) for path in draft.iterdir()},
        "frozen": learner.frozen,
        "torch": torch.__version__,
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _read_json(folder: Path) -> dict[str, Any]:
    try:
        state = json.loads((folder / _STATE).read_bytes())
    except (OSError, ValueError) as error:
        raise TrainError(f"{folder}: not a checkpoint: {_STATE} is missing or no JSON. {_REMEDY}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainError(f"{folder}: not a checkpoint of this program ({FORMAT}). {_REMEDY}")
    return state


def _moments(learner: Learner) -> dict[str, torch.Tensor]:
    """Name AdamW's state by parameter, `language.lm_head.weight:exp_avg`; parameters never stepped have none."""
    names = {p: n for n, p in learner.model.named_parameters()}
    slots = learner.optimizer.state.items()
    return {f"{names[p]}:{slot}": t for p, state in slots for slot, t in state.items()}


def _put_moments(model: Architecture, optimizer: torch.optim.Optimizer, moments: Mapping[str, torch.Tensor]) -> None:
    parameters = dict(model.named_parameters())
    for name, tensor in moments.items():
        parameter, slot = name.rsplit(":", 1)
        like = parameters[parameter]
        placed = divided_like(tensor.to(like.device), like) if tensor.ndim else tensor  # AdamW counts steps on the CPU
        optimizer.state[like][slot] = placed


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and _sha256(path) == sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Have the disk hold a file's bytes, or a folder's names, before anything that relies on them."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
