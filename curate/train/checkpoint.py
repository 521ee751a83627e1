"""Checkpoints: folders that appear whole, hold all that the next step depends on, and say what data made them.

OUT/checkpoints/step-00000100/
    model.safetensors       every weight
    optimizer.safetensors   AdamW's moments by parameter name, and torch's random state
    tokenizer.json
    state.json              step, failures, config, dataset version and its shards, sha256 of the other three
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from curate.errors import TrainError
from curate.shards import ShardReader
from curate.train.learner import Learner, optimizer_for
from curate.train.llava import Llava
from curate.train.presets import Config
from curate.train.tokens import load as load_tokenizer

FORMAT = "curate-checkpoint-1"
KEPT = 2
_STATE = "state.json"
_RANDOM = "random_state"
_FILES = ("model.safetensors", "optimizer.safetensors", "tokenizer.json")
_REMEDY = "Delete that folder: training goes on from the checkpoint before it, or starts over where there is none"


@dataclass(frozen=True)
class Origin:
    """The data a model was fed."""

    version: str
    """Of the manifest."""
    samples: int
    """That could be read: without the erased ones."""
    shards: tuple[tuple[str, str], ...]
    """Name and sha256 of every shard."""

    @classmethod
    def of(cls, reader: ShardReader) -> "Origin":
        """Take down what a reader reads."""
        shards = tuple((s.name, s.sha256) for s in reader.manifest.shards)
        return cls(reader.version, len(reader), shards)


def save(out: Path, learner: Learner, config: Config, origin: Origin) -> Path:
    """Write a checkpoint under `out` in one step, then delete all but the newest two."""
    folder = _folder(out)
    draft = folder / ".tmp-checkpoint"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    save_file({n: t.contiguous() for n, t in learner.model.state_dict().items()}, draft / "model.safetensors")
    save_file(_moments(learner), draft / "optimizer.safetensors")
    learner.tokenizer.save(str(draft / "tokenizer.json"))
    (draft / _STATE).write_text(_spelled(draft, learner, config, origin), encoding="utf-8")
    for path in [*draft.iterdir(), draft]:
        _sync(path)
    target = folder / f"step-{learner.step:08d}"
    draft.rename(target)
    _sync(folder)
    for old in saved(out)[:-KEPT]:
        shutil.rmtree(old)
    return target


def saved(out: Path) -> list[Path]:
    """Return the checkpoints under `out`, oldest first."""
    return sorted(_folder(out).glob("step-*"))


def restore(folder: Path) -> tuple[Learner, Config, Origin]:
    """Read a checkpoint back, whole.

    Raises:
        TrainError: it is broken or of another format.
    """
    state = _read_state(folder)
    try:
        config = Config.model_validate(state["config"])
        data = state["data"]
        origin = Origin(data["version"], data["samples"], tuple((s["name"], s["sha256"]) for s in data["shards"]))
        broken = [name for name in _FILES if _sha256(folder / name) != state["files"][name]]
        progress = {"step": int(state["step"]), "failed": int(state["failed"])}
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise TrainError(f"{folder}: broken checkpoint ({type(error).__name__}: {error}). {_REMEDY}") from error
    if broken:
        raise TrainError(f"{folder}: {', '.join(broken)} changed since it was written. {_REMEDY}")
    return _load(folder, config, progress), config, origin


def _load(folder: Path, config: Config, progress: dict[str, int]) -> Learner:
    model = Llava(config)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    optimizer = optimizer_for(model, config)
    _put_moments(model, optimizer, load_file(folder / "optimizer.safetensors"))
    return Learner(model, load_tokenizer(folder / "tokenizer.json"), optimizer, **progress)


def _folder(out: Path) -> Path:
    return out / "checkpoints"


def _spelled(draft: Path, learner: Learner, config: Config, origin: Origin) -> str:
    data: dict[str, Any] = asdict(origin)
    data["shards"] = [{"name": name, "sha256": sha256} for name, sha256 in origin.shards]
    content = {
        "format": FORMAT,
        "step": learner.step,
        "failed": learner.failed,
        "config": config.model_dump(mode="json"),
        "data": data,
        "files": {name: _sha256(draft / name) for name in _FILES},
        "torch": torch.__version__,
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _read_state(folder: Path) -> dict[str, Any]:
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
    moments = {f"{names[p]}:{slot}": t.contiguous() for p, state in slots for slot, t in state.items()}
    return {**moments, _RANDOM: torch.get_rng_state()}


def _put_moments(model: Llava, optimizer: torch.optim.Optimizer, moments: Mapping[str, torch.Tensor]) -> None:
    parameters = dict(model.named_parameters())
    for name, tensor in moments.items():
        if name == _RANDOM:
            torch.set_rng_state(tensor)
        else:
            parameter, slot = name.rsplit(":", 1)
            optimizer.state[parameters[parameter]][slot] = tensor


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
