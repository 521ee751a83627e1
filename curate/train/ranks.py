"""Several processes that learn as one: who they are, and what they say to each other.

Losses are sums divided by totals over all processes, so gradients are added, not averaged. With one process every call
here returns what it was given.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

_BUCKET = 1 << 24
"""Elements that are added up in one call: 64 MiB of float32."""


@dataclass(frozen=True)
class Ranks:
    """One process among `world`."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())

    def total(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Add numbers up over all processes."""
        if self.world == 1:
            return dict(numbers)
        table = torch.tensor(list(numbers.values()), dtype=torch.float64, device=self.device)
        dist.all_reduce(table)
        return dict(zip(numbers, table.tolist(), strict=True))

    def everyone(self, value: Any) -> list[Any]:
        """Return each process's value, in order of rank."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        dist.all_gather_object(values, value)
        return values

    def gather(self, rows: torch.Tensor, sizes: list[int]) -> torch.Tensor:
        """Join the rows of all processes, `sizes[r]` of rank r; gradients flow back to whoever made a row."""
        if self.world == 1:
            return rows
        padding = rows.new_zeros((max(sizes) - len(rows), *rows.shape[1:]))
        parts = _Gather.apply(torch.cat([rows, padding]), self.rank)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add gradients up over all processes; where one has none, it counts as zero.

        Where none has any, it stays so, as on one process: AdamW would decay and go on moving a weight at a zero.
        """
        if self.world == 1:
            return
        named = {str(number): parameter for number, parameter in enumerate(parameters)}
        having = self.total({number: float(p.grad is not None) for number, p in named.items()})
        for bucket in _buckets(p for number, p in named.items() if having[number]):
            flat = torch.cat([_gradient(p).reshape(-1) for p in bucket])
            dist.all_reduce(flat)
            for parameter, part in zip(bucket, flat.split([p.numel() for p in bucket]), strict=True):
                parameter.grad = part.view_as(parameter).clone()

    def wait(self) -> None:
        """Return when every process is here."""
        if self.world > 1:
            dist.barrier()


class _Gather(torch.autograd.Function):
    """All-gather whose backward adds up what every process wants of this one's rows."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, rank: int) -> tuple[torch.Tensor, ...]:
        ctx.rank = rank
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return tuple(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        stacked = torch.stack(gradients)
        dist.all_reduce(stacked)
        return stacked[ctx.rank], None


def _gradient(parameter: nn.Parameter) -> torch.Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _buckets(parameters: Iterable[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    bucket: list[nn.Parameter] = []
    for parameter in parameters:
        bucket.append(parameter)
        if sum(p.numel() for p in bucket) >= _BUCKET:
            yield bucket
            bucket = []
    if bucket:
        yield bucket


@contextmanager
def ranks() -> Iterator[Ranks]:
    """Join the processes that torchrun or Ray Train started with this one; alone where nobody did."""
    if dist.is_initialized():  # Ray Train joins them before it calls
        yield Ranks(dist.get_rank(), dist.get_world_size())
        return
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Ranks()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(Ranks().device)
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
