"""Losses that compare every sample of a step with every other, exact over micro-batches and processes.

Over several micro-batches this follows GradCache (Gao et al. 2021, arXiv 2101.06983): represent all samples without
gradients, compare them, then represent each micro-batch again and hand it the gradient of its own vectors. Dropout and
other draws are the same both times.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from curate.train.batch import Batch, Text, joined
from curate.train.model import Architecture, Sums
from curate.train.step import Tally, Work, draws

Vectors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Represented:
    """A batch before its samples are compared with others."""

    vectors: dict[str, torch.Tensor]
    """[B, ...] each: what is compared."""
    sums: Sums
    """The losses that need no comparison."""


@dataclass(frozen=True)
class Everyone:
    """All samples of a step over micro-batches and processes, in the order of training."""

    vectors: Vectors
    """[G, ...] each, without gradient."""
    batch: Batch
    """Their pictures, text and places; nothing else."""


class Comparing(Architecture):
    """An architecture with a loss that compares each sample of a step with all others."""

    MATCHES: ClassVar[bool] = False
    """Whether `match` has losses."""

    @abstractmethod
    def represent(self, batch: Batch) -> Represented:
        """Turn samples into what is compared."""

    @abstractmethod
    def contrast(self, vectors: Vectors, own: slice) -> Sums:
        """Return the losses of rows `own` against all rows of `vectors`, [G, ...] each."""

    def match(self, batch: Batch, everyone: Everyone) -> Sums:  # noqa: ARG002 - for those that have hard negatives
        """Return the losses of a batch that need other samples whole."""
        return {}

    def forward(self, batch: Batch) -> Sums:
        """Return the losses of a batch that is compared with itself alone."""
        made = self.represent(batch)
        sums = made.sums | self.contrast(made.vectors, slice(0, len(batch)))
        apart = {name: v.detach() for name, v in made.vectors.items()}
        return sums | self.match(batch, Everyone(apart, batch))


class Comparison:
    """One step of such an architecture."""

    def __init__(self, model: Comparing, work: Work, tally: Tally) -> None:
        """Look at the pictures once, where that gives the same every time, and learn who has how many samples."""
        self.model, self.work, self.tally = model, work, tally
        self.micros = [self._looked_at(batch, number) for number, batch in enumerate(work.micros)]
        self.sizes = [0 if batch.idle else len(batch) for batch in self.micros]
        self.per_rank = [sum(sizes) for sizes in work.ranks.everyone(self.sizes)]
        start = sum(self.per_rank[: work.ranks.rank])
        self.own = slice(start, start + sum(self.sizes))

    def learn(self) -> None:
        """Leave this process's part of the gradient in the parameters."""
        if len(self.micros) == 1:
            self._at_once()
        else:
            self._in_turns()

    def _at_once(self) -> None:
        (batch,) = self.micros
        with draws(self.model, self.work, 0):
            made = self.model.represent(batch)
            vectors = self._gathered(self._real([made]))
            sums = made.sums | self.model.contrast(vectors, self.own) | self._matched(batch, self._everyone(vectors))
            self.tally.learn(sums, idle=batch.idle)

    def _in_turns(self) -> None:
        with torch.no_grad():
            made = [self._represented(number) for number in range(len(self.micros))]
        leaves = {name: v.requires_grad_() for name, v in self._real(made).items()}
        with draws(self.model, self.work, 0):
            vectors = self._gathered(leaves)
            self.tally.learn(self.model.contrast(vectors, self.own), idle=False)
        everyone, start = self._everyone(vectors), 0
        for number, size in enumerate(self.sizes):
            pulls = {name: leaf.grad[start : start + size] for name, leaf in leaves.items() if leaf.grad is not None}
            self._again(number, pulls, everyone)
            start += size

    def _again(self, number: int, pulls: Vectors, everyone: Everyone | None) -> None:
        """Learn from one micro-batch, with the gradient that the comparison has for its vectors."""
        batch = self.micros[number]
        made = self._represented(number)
        with draws(self.model, self.work, number):
            beside = [(made.vectors[name][: len(pull)].float() * pull).sum() for name, pull in pulls.items()]
            self.tally.learn(made.sums | self._matched(batch, everyone), idle=batch.idle, beside=beside)

    def _represented(self, number: int) -> Represented:
        with draws(self.model, self.work, number):
            return self.model.represent(self.micros[number])

    def _looked_at(self, batch: Batch, number: int) -> Batch:
        if batch.cached or not self.model.looks_frozen:
            return batch
        with torch.no_grad(), draws(self.model, self.work, number):
            return replace(batch, pictures=self.model.look(batch.pictures), cached=True)

    def _real(self, made: Sequence[Represented]) -> dict[str, torch.Tensor]:
        """Join the vectors of those samples that are learned from."""
        rows = zip(made, self.sizes, strict=True)
        cut = [{name: v[:size].float() for name, v in m.vectors.items()} for m, size in rows]
        return {name: torch.cat([c[name] for c in cut]) for name in cut[0]}

    def _gathered(self, vectors: Vectors) -> dict[str, torch.Tensor]:
        return {name: self.work.ranks.gather(v, self.per_rank) for name, v in vectors.items()}

    def _matched(self, batch: Batch, everyone: Everyone | None) -> Sums:
        return {} if everyone is None else self.model.match(batch, everyone)

    @torch.no_grad()
    def _everyone(self, vectors: Vectors) -> Everyone | None:
        if not self.model.MATCHES:
            return None
        cut = list(zip(self.micros, self.sizes, strict=True))
        text = joined([Text(b.text.ids_BL[:n], b.text.labels_BL[:n], b.text.mask_BL[:n]) for b, n in cut])
        widest = max(self.work.ranks.everyone(text.ids_BL.shape[1]))
        text = joined([text], at_least=widest)
        tables = [text.ids_BL, text.labels_BL, text.mask_BL]
        tables += [torch.cat([b.pictures[:n] for b, n in cut]), torch.cat([b.places_B[:n] for b, n in cut])]
        ids, labels, mask, pictures, places = (self.work.ranks.gather(t, self.per_rank) for t in tables)
        batch = Batch(Text(ids, labels, mask), None, None, pictures, self.micros[0].cached, places)
        return Everyone({name: v.detach() for name, v in vectors.items()}, batch)
