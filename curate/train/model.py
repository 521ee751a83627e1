"""What the loop asks of an architecture: which parts are frozen, what it sees, and its losses as sums.

A loss is returned as a sum, and the number of things it sums over apart from it, so that the mean over a step is the
same however the step's samples are spread over micro-batches and processes. A mean of means would not be.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar, Self, TypeAlias

import torch
from torch import nn

from curate.train import adapters
from curate.train.batch import Batch
from curate.train.config import Training

Sums = dict[str, torch.Tensor]
"""Losses by name, each summed over its terms, in nats."""
Part: TypeAlias = nn.Module | nn.Parameter


class Architecture(nn.Module, ABC):
    """A model on its way: parts, some of them frozen, and losses."""

    WEIGHTS: ClassVar[Mapping[str, float]] = {"tokens": 1.0}
    """Names of the losses, with the weight that the mean of each has in what is minimised."""

    def __init__(self, config: Training) -> None:
        """Keep the settings; a subclass makes its parts, then calls `freeze`."""
        super().__init__()
        self.training_config = config

    def freeze(self) -> None:
        """Leave gradients to the trainable parts; where one has adapters, to them alone."""
        for name, part in self.parts():
            part.requires_grad_(name in self.training_config.trainable)
        for _, part in self.adapted():
            for name, parameter in part.named_parameters():
                parameter.requires_grad_(adapters.is_adapter(name))
        self.train()

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Yield every part that can be trained or frozen."""
        for name in self.training_config.PARTS:
            yield name, getattr(self, name)

    def frozen(self) -> Iterator[tuple[str, Part]]:
        """Yield the parts that do not learn."""
        return ((name, part) for name, part in self.parts() if name not in self.training_config.trainable)

    def adapted(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts of which adapters learn and nothing else."""
        for name, part in self.parts():
            if isinstance(part, nn.Module) and any(adapters.is_adapter(n) for n, _ in part.named_parameters()):
                yield name, part

    def train(self, mode: bool = True) -> Self:
        """Switch dropout on or off; a frozen part never has any."""
        super().train(mode)
        for _, part in self.frozen():
            if isinstance(part, nn.Module):
                part.eval()
        return self

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    def in_precision(self) -> AbstractContextManager[None]:
        """Compute inside this in the precision asked for: frozen weights of bfloat16 meet learned ones of float32."""
        half = self.training_config.precision == "bfloat16"
        made: AbstractContextManager[None] = torch.autocast(self.device.type, torch.bfloat16, enabled=half)
        return made

    def learns(self) -> dict[str, nn.Parameter]:
        """Return what learns, by name."""
        return {n: p for n, p in self.named_parameters() if p.requires_grad}

    @abstractmethod
    def look(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, ...]: all that the towers say of pictures before anything that always learns.

        Where no part that this uses learns, its result can be stored and used again.
        """

    SEES: ClassVar[str]
    """What `look` reads off the tower; architectures that see the same can share stored features."""
    LOOKS: ClassVar[tuple[str, ...]] = ("vision",)
    """Parts that `look` uses."""

    @property
    def looks_frozen(self) -> bool:
        """Whether what the model sees of a picture stays the same while it learns."""
        return not set(self.LOOKS) & set(self.training_config.trainable)

    def seen(self, batch: Batch) -> torch.Tensor:
        """Return what `look` says of a batch's pictures, stored or made now."""
        if batch.cached:
            return batch.pictures
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.looks_frozen):
            return self.look(batch.pictures)

    def count(self, batch: Batch) -> dict[str, int]:
        """Return how many terms each loss of a batch sums over; known before any loss is computed."""
        return {"tokens": batch.text.labelled}

    @abstractmethod
    def forward(self, batch: Batch) -> Sums:
        """Return the losses of a batch."""

    def after_step(self) -> None:
        """Put right what an optimizer's step has moved."""

    def blocks(self) -> Sequence[nn.Module]:
        """Return the modules that are sharded, and whose activations are computed twice, one by one."""
        return ()
