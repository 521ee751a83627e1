"""Everything that changes while a model is trained, and how it begins."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import CLIPVisionModel, LlamaForCausalLM

from curate.errors import TrainError
from curate.shards import ShardReader
from curate.train.data import learn_tokenizer
from curate.train.llava import Llava
from curate.train.presets import Config
from curate.train.tokens import load


@dataclass
class Learner:
    """A model on its way: what a checkpoint holds."""

    model: Llava
    tokenizer: Tokenizer
    optimizer: torch.optim.Optimizer
    step: int = 0
    """Steps done."""
    failed: int = 0
    """Samples drawn so far that could not be used; a sample counts each time it is drawn."""


def begin(config: Config, reader: ShardReader) -> Learner:
    """Build model, tokenizer and optimizer.

    Raises:
        TrainError: weights that the config asks for are missing or of other sizes.
    """
    if config.pretrained and not (config.vision_from and config.language_from):
        raise TrainError(
            f"{config.preset} starts from pretrained towers: name folders with --set vision_from=DIR "
            "--set language_from=DIR (as save_pretrained writes them), or train llava-tiny, which needs none"
        )
    if config.language_from:
        tokenizer = load(Path(config.language_from) / "tokenizer.json")
        _require_room(tokenizer, config)
    else:
        tokenizer = learn_tokenizer(reader, config)
    torch.manual_seed(config.seed)
    model = Llava(config)
    if config.vision_from:
        _fill(model.vision, CLIPVisionModel, config.vision_from)
    if config.language_from:
        _fill(model.language, LlamaForCausalLM, config.language_from)
    return Learner(model, tokenizer, optimizer_for(model, config))


def optimizer_for(model: Llava, config: Config) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101); gains and biases do not decay."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": config.weight_decay},  # noqa: PLR2004 - matrices
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},  # noqa: PLR2004
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, config.beta2))


def _require_room(tokenizer: Tokenizer, config: Config) -> None:
    size, room = tokenizer.get_vocab_size(), config.language.vocabulary
    if size > room:
        raise TrainError(f"{config.language_from}: has {size} tokens, but language.vocabulary is {room}")


def _fill(part: torch.nn.Module, kind: Any, folder: str) -> None:
    """Copy pretrained weights into a part of the same sizes."""
    if not os.path.isfile(f"{folder}/config.json"):  # noqa: PTH113 - the folder is text for transformers too
        raise TrainError(f"{folder}: no weights as save_pretrained writes them (config.json and model.safetensors)")
    weights = kind.from_pretrained(folder, dtype=torch.float32, local_files_only=True).state_dict()
    ours = part.state_dict()
    differing = [n for n in ours.keys() | weights.keys() if _shape(ours, n) != _shape(weights, n)]
    if differing:
        raise TrainError(
            f"{folder}: its sizes are not the preset's, {len(differing)} tensors differ, such as {min(differing)}: "
            f"{_shape(weights, min(differing))} there, {_shape(ours, min(differing))} here"
        )
    part.load_state_dict(weights)


def _shape(state: dict[str, torch.Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(state[name].shape) if name in state else None


Progress = Callable[[dict[str, Any]], None]
