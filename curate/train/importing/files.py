"""Reading a published checkpoint: files are not trusted, so pickles give tensors and plain values or nothing."""

import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from curate.errors import TrainError
from curate.train.importing.source import Facts, Tensors

_NESTED = ("model", "state_dict")
_GROUPS = ("*.safetensors", "pytorch_model*.bin", "mm_projector.bin", "*.pth", "*.pt", "*.tar")
"""What a folder's weights are called; the first of these that there is, is read."""
_BROKEN = (
    pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, TypeError, KeyError, IndexError,
    AttributeError, OverflowError, AssertionError, MemoryError, struct.error, zipfile.BadZipFile,
)  # fmt: skip
"""What torch raises on bytes that are no checkpoint, or one that would run code."""


def read(path: Path) -> tuple[Tensors, Facts]:
    """Return the tensors of a file, or of all weights of a folder, and what config.json beside them says.

    Raises:
        TrainError: there are none, a file is broken or holds other things than tensors, or a name occurs twice.
    """
    tensors: Tensors = {}
    for file in files(path):
        held = _load(file)
        twice = sorted(tensors.keys() & held.keys())
        if twice:
            raise TrainError(f"{file}: holds {twice[0]} once more; put the files of one checkpoint alone in a folder")
        tensors |= held
    return tensors, _facts(folder_of(path) / "config.json")


def folder_of(path: Path) -> Path:
    """Return the folder that a checkpoint lies in."""
    return path if path.is_dir() else path.parent


def files(path: Path) -> list[Path]:
    """Return the files that hold the weights.

    Raises:
        TrainError: there are none.
    """
    if path.is_file():
        return [path]
    for group in _GROUPS:
        named = sorted(path.glob(group))
        if named:
            return named
    raise TrainError(f"{path}: no weights there. Give a file, or a folder with {', '.join(_GROUPS)}")


def _load(file: Path) -> Tensors:
    if file.suffix == ".safetensors":
        try:
            return dict(load_file(file))
        except (SafetensorError, OSError) as error:
            raise TrainError(f"{file}: no safetensors file ({error}). Fetch it again") from error
    try:
        # Only files of torch's newer format can be mapped: what is not taken is then never read.
        held = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except _BROKEN as error:
        what = str(error).strip().partition("\n")[0].partition(". ")[0]  # torch goes on to advise running the code
        raise TrainError(
            f"{file}: is broken, or holds more than tensors and plain values, which could run code and is not read "
            f"({type(error).__name__}: {what}). Fetch it again, or convert it to safetensors where you trust it"
        ) from error
    return _tensors(file, held)


def _tensors(file: Path, held: Any) -> Tensors:
    nested = next((held[name] for name in _NESTED if isinstance(held, dict) and isinstance(held.get(name), dict)), held)
    if not isinstance(nested, Mapping) or not nested:
        raise TrainError(f"{file}: holds no tensors by name, nor any under {' or '.join(_NESTED)}")
    for name, tensor in nested.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
            raise TrainError(f"{file}: {name!r} is no plain tensor")
    return {name: tensor.detach() for name, tensor in nested.items()}


def _facts(path: Path) -> Facts:
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_bytes())
    except ValueError as error:
        raise TrainError(f"{path}: no JSON ({error}). Put back the file that the weights came with") from error
    return facts if isinstance(facts, dict) else {}
