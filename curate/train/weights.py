"""Pretrained weights into the parts of a model, and the hash that names a part's weights."""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from transformers import CLIPVisionModel, LlamaForCausalLM, OPTForCausalLM, T5ForConditionalGeneration

from curate.errors import TrainError
from curate.train import adapters
from curate.train.config import Training
from curate.train.model import Architecture, Part

LOADERS: Mapping[str, Any] = {
    "clip": CLIPVisionModel,
    "llama": LlamaForCausalLM,
    "opt": OPTForCausalLM,
    "t5": T5ForConditionalGeneration,
}
FILE = "model.safetensors"
TABLES = ("model.decoder.embed_tokens.weight", "model.embed_tokens.weight", "shared.weight", "lm_head.weight")
"""Names, in the language models above, of the matrices with a row for each token."""


def fill(model: Architecture, config: Training) -> None:
    """Load every part that settings name a folder for: `vision_from` for `vision`, and so on; `start_from` over them.

    Raises:
        TrainError: weights that the preset starts from are not named, missing, or of other sizes.
    """
    sources = {name: str(getattr(config, f"{name}_from", "")) for name, _ in model.parts()}
    _require_named(model, config, sources)
    for name, part in model.parts():
        if sources[name]:
            kind = getattr(getattr(config, name), "kind", name)
            _load(part, of_part(name, weights_at(sources[name], kind, part)), sources[name])
    for folder in config.starts:
        _start(model, folder)


def _require_named(model: Architecture, config: Training, sources: Mapping[str, str]) -> None:
    """Refuse to leave a part at random, before anything is loaded."""
    if not config.pretrained:
        return
    held = adapters.without(dict.fromkeys(name for folder in config.starts for name in _names(folder)))
    missing = [(name, part) for name, part in model.parts() if hasattr(config, f"{name}_from") and not sources[name]]
    wanted = [f"{name}_from" for name, part in missing if not _holds(held, name, part)]
    if wanted:
        raise TrainError(
            f"{config.preset} starts from pretrained weights: name folders with "
            + " ".join(f"--set {name}=DIR" for name in wanted)
            + (", of which start_from holds nothing or only some" if config.starts else "")
            + " (as save_pretrained writes them), or train a preset whose name ends in -tiny, which needs none"
        )


def _holds(held: Mapping[str, None], name: str, part: Part) -> bool:
    """Say whether all of a part is held; adapters, and the Q-Former of another stage, are only some of it."""
    parameters = dict(part.named_parameters()) if isinstance(part, nn.Module) else {"": part}
    return all(f"{name}.{own}".rstrip(".") in held for own in adapters.without(parameters))


def _names(folder: str) -> list[str]:
    with safe_open(newest_weights(Path(folder)), "pt") as file:
        return list(file.keys())


def _start(model: Architecture, folder: str) -> None:
    """Take every tensor of a checkpoint that the model has too.

    Raises:
        TrainError: there is none, or one has another shape.
    """
    path = newest_weights(Path(folder))
    theirs, state = load_file(path), model.state_dict()
    ours = state | adapters.without(state)  # weights from before there were adapters have the plain names
    shared = theirs.keys() & ours.keys()
    differing = sorted(name for name in shared if theirs[name].shape != ours[name].shape)
    if differing or not shared:
        what = f"{differing[0]} is {_shape(theirs, differing[0])} there" if differing else "it shares no name"
        raise TrainError(f"{path}: cannot be started from: {what}. Give a checkpoint of the same sizes")
    for name in shared:
        ours[name].copy_(theirs[name])  # shares its memory with the model's


def newest_weights(folder: Path) -> Path:
    """Return the weights in a folder, or in the newest checkpoint under it.

    Raises:
        TrainError: there are none.
    """
    found = [folder / FILE, *sorted(folder.glob(f"checkpoints/step-*/{FILE}"), reverse=True)]
    path = next((p for p in found if p.is_file()), None)
    if path is None:
        raise TrainError(f"{folder}: holds no {FILE} to start from")
    return path


def weights_at(folder: str, kind: str, part: Part) -> dict[str, torch.Tensor]:
    """Read the weights of a part: a folder that save_pretrained wrote, or one with a model.safetensors of ours.

    Raises:
        TrainError: there are none, or they were trained with other norms or activations.
    """
    if kind in LOADERS:
        if not os.path.isfile(f"{folder}/config.json"):  # noqa: PTH113 - the folder is text for transformers too
            raise TrainError(f"{folder}: no weights as save_pretrained writes them (config.json and {FILE})")
        kept = next((p.dtype for p in part.parameters()), torch.float32) if isinstance(part, nn.Module) else None
        loaded = LOADERS[kind].from_pretrained(folder, dtype=kept, local_files_only=True)
        _require_same_arithmetic(part, loaded, folder)
        _compute(part, loaded)
        state = loaded.state_dict()
        return {name: state[name] for name in state if not _beyond(name, part)}
    if not (Path(folder) / FILE).is_file():
        raise TrainError(f"{folder}: no {FILE}. `curate import` writes one from a published checkpoint")
    return load_file(Path(folder) / FILE)


def _compute(part: Part, loaded: nn.Module) -> None:
    """Put in what a part computes from its settings and no file holds, such as Llama's frequencies."""
    stored, theirs = loaded.state_dict().keys(), dict(loaded.named_buffers())
    for name in [name for name, _ in part.named_buffers() if name in theirs and name not in stored]:
        path, _, last = name.rpartition(".")
        part.get_submodule(path).register_buffer(last, theirs[name].clone(), persistent=False)


def _require_same_arithmetic(part: Part, loaded: Any, folder: str) -> None:
    """Refuse weights whose settings differ in what no tensor's shape shows."""
    ours, theirs = getattr(part, "config", None), loaded.config
    for name in ("rms_norm_eps", "layer_norm_eps", "hidden_act", "activation_function", "rope_theta"):
        here, there = getattr(ours, name, None), getattr(theirs, name, None)
        if here != there:
            remedy = "Set language.epsilon" if name == "rms_norm_eps" else "Choose a preset of that model"
            raise TrainError(f"{folder}: was trained with {name} {there}, the preset has {here}. {remedy}")


def _beyond(name: str, part: Part) -> bool:
    """Whether a tensor is of CLIP's last blocks or its final norm, where a preset ends before them as BLIP-2's do."""
    block = re.search(r"encoder\.layers\.\d+\.|post_layernorm\.", name)
    ours = part.state_dict() if isinstance(part, CLIPVisionModel) else {}
    return bool(ours) and block is not None and not any(block[0] in known for known in ours)


def of_part(name: str, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return what a folder holds of a part: all of it, or what its name stands before where whole models are named."""
    own = {key.removeprefix(f"{name}."): tensor for key, tensor in weights.items() if key.startswith(f"{name}.")}
    return own or dict(weights)


def _load(part: Part, weights: Mapping[str, torch.Tensor], folder: str) -> None:
    """Copy weights into a part of the same sizes."""
    if not isinstance(part, nn.Module):
        raise TrainError(f"{folder}: cannot be loaded into a single tensor")
    ours = adapters.without(part.state_dict())
    weights = {name: _without_spare_rows(name, tensor, ours) for name, tensor in weights.items()}
    differing = sorted(n for n in ours.keys() | weights.keys() if _shape(ours, n) != _shape(weights, n))
    if differing:
        raise TrainError(
            f"{folder}: its sizes are not the preset's, {len(differing)} tensors differ, such as {differing[0]}: "
            f"{_shape(weights, differing[0])} there, {_shape(ours, differing[0])} here"
        )
    for name, tensor in ours.items():
        tensor.copy_(weights[name])  # shares its memory with the part's


def _without_spare_rows(name: str, tensor: torch.Tensor, ours: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Cut a table of tokens to the preset's size: published ones are padded, OPT's 50,265 rows to 50,272.

    No token is lost: a tokenizer of more tokens than the preset has rows is refused.
    """
    spare = name in TABLES and name in ours and len(tensor) > len(ours[name])
    return tensor[: len(ours[name])] if spare else tensor


def _shape(state: Mapping[str, torch.Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(state[name].shape) if name in state else None


def fingerprint(part: Part) -> str:
    """Return the sha256 of a part's weights: names, shapes and values, whatever file they came from; adapters aside."""
    named = adapters.without(part.state_dict()) if isinstance(part, nn.Module) else {"": part.detach()}
    digest = hashlib.sha256()
    for name, tensor in sorted(named.items()):
        values = tensor.detach().to("cpu", torch.float32).contiguous()
        digest.update(f"{name} {tuple(values.shape)}\n".encode())
        digest.update(memoryview(values.view(-1).numpy()).cast("B") if values.numel() else b"")
    return digest.hexdigest()
