"""How many parameters a preset has, which of them learn, and what they take in memory; nothing is built for real."""

from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from curate.train.architectures import kind_of
from curate.train.config import Training
from curate.train.model import Architecture, Part

_FLOAT, _HALF = 4, 2
_ADAMW = 3 * _FLOAT
"""Bytes beside a learning weight: its gradient and two moments."""


@dataclass(frozen=True)
class PartCount:
    """Parameters of one part of a model."""

    name: str
    parameters: int
    learns: int


@dataclass(frozen=True)
class Counted:
    """Parameters of a model."""

    parts: tuple[PartCount, ...]
    total: int
    learns: int
    weight_bytes: int
    """Of weights, gradients and AdamW's moments on one process; activations come on top."""


def count(config: Training) -> Counted:
    """Count a preset's parameters on the `meta` device, where they have shapes and no values."""
    with torch.device("meta"):
        model = kind_of(config).model(config)
    parts = tuple(_counted(name, part) for name, part in model.parts())
    learns = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    held = _HALF if config.precision == "bfloat16" else _FLOAT
    return Counted(parts, total, learns, (total - learns) * held + learns * (_FLOAT + _ADAMW))


def activation_bytes(config: Training, model: Architecture, places: int, samples: int) -> int:
    """Estimate what a micro-batch of `samples` sequences of `places` keeps between forward and backward.

    Korthikanti et al. 2022, arXiv 2205.05198, section 4, without the scores that fused attention does not keep: 34
    values of two bytes a place, width and block; 2 where blocks compute them again. Blocks of the language model
    alone.
    """
    blocks = len(model.blocks())
    width = getattr(getattr(config, "language", None), "width", 0)
    per_value = _HALF if config.precision == "bfloat16" else _FLOAT
    values = 1 if config.checkpoint_activations else 17
    return prod((blocks, width, places, samples, values, per_value))


def _counted(name: str, part: Part) -> PartCount:
    tensors = [part] if isinstance(part, nn.Parameter) else list(part.parameters())
    return PartCount(name, sum(t.numel() for t in tensors), sum(t.numel() for t in tensors if t.requires_grad))
