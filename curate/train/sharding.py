"""A model over several processes: the blocks' weights divided among them, or a whole copy on each.

FSDP2 (Zhao et al. 2023, arXiv 2304.11277, as `fully_shard` of torch) divides each block and brings it together while it
is used. What is not in a block stays whole on every process; so does a model that is not sharded. Gradients are added
up, by FSDP for what it divided, by `Ranks.add_gradients` for the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from curate.train.model import Architecture
from curate.train.ranks import Ranks


@dataclass(frozen=True)
class Placement:
    """Where a model lives."""

    ranks: Ranks = field(default_factory=Ranks)
    divided: bool = False
    """Whether blocks are divided among processes."""

    def settle(self, model: Architecture) -> None:
        """Move a model to this process's device, and divide its blocks where asked to."""
        model.to(self.ranks.device)
        if self.divided and self.ranks.world > 1:
            _divide(model)


def _divide(model: Architecture) -> None:
    for block in model.blocks():
        fully_shard(block, reshard_after_forward=True)
        block.set_gradient_divide_factor(1.0)  # losses are divided by totals already
        block.set_force_sum_reduction_for_comms(enable=True)  # Gloo knows no other sum


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """Bring a divided tensor together; every process must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def divided_like(tensor: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """Divide a whole tensor as `parameter` is."""
    if not isinstance(parameter, DTensor) or tensor.shape != parameter.shape:
        return tensor
    return distribute_tensor(tensor, parameter.device_mesh, parameter.placements)


def replicated(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """Return those that every process has whole."""
    return [p for p in parameters if not isinstance(p, DTensor)]


def clip(parameters: Iterable[nn.Parameter], most: float, among: Ranks) -> float:
    """Scale gradients so that the L2 norm of all of them together is `most` at most; return what it was."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    pieces = [g.to_local() for g in gradients if isinstance(g, DTensor)]
    copies = [g for g in gradients if not isinstance(g, DTensor)]
    square = among.total({"square": _square(pieces)})["square"] if pieces else 0.0
    norm = float((square + _square(copies)) ** 0.5)
    if norm > most:
        for gradient in (*pieces, *copies):
            gradient.mul_(most / norm)
    return norm


def _square(tensors: Iterable[Any]) -> float:
    norms = [torch.linalg.vector_norm(t, dtype=torch.float64) for t in tensors]
    return float(torch.stack(norms).square().sum()) if norms else 0.0
