"""Counting how far the samples of each group came, in bounded memory: a small table of numbers for each group."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from curate.audit.groups import Kind

Numbers = npt.NDArray[np.int64]


@dataclass
class Tally:
    """How many samples of a group came how far: int64[stages + 1, 2], dropped and failed there; the last are kept."""

    stages: int
    groups: dict[tuple[str, str], Numbers] = field(default_factory=dict)
    known: dict[str, Numbers] = field(default_factory=dict)
    """Of each kind, all samples of which it can be told."""
    everything: Numbers = field(init=False)

    def __post_init__(self) -> None:
        """Begin at nothing."""
        self.everything = self._nothing()

    def _nothing(self) -> Numbers:
        return np.zeros((self.stages + 1, 2), dtype=np.int64)

    def count(self, reached: Numbers, failed: npt.NDArray[np.bool_]) -> None:
        """Count n samples of any group."""
        self.everything += self._histogram(reached, failed)

    def count_kind(self, kind: Kind, reached: Numbers, failed: npt.NDArray[np.bool_]) -> None:
        """Count n samples in their groups."""
        self.known.setdefault(kind.name, self._nothing())
        self.known[kind.name] += self._histogram(reached[kind.known], failed[kind.known])
        for name, hit in kind.groups.items():
            if hit.any():
                self.groups.setdefault((kind.name, name), self._nothing())
                self.groups[kind.name, name] += self._histogram(reached[hit], failed[hit])

    def _histogram(self, reached: Numbers, failed: npt.NDArray[np.bool_]) -> Numbers:
        flat = np.bincount(reached * 2 + failed, minlength=(self.stages + 1) * 2)
        return flat.astype(np.int64).reshape(self.stages + 1, 2)

    def small(self, kind: str, least: int) -> set[str]:
        """Return the groups of a kind with fewer than `least` samples."""
        return {group for (of, group), counts in self.groups.items() if of == kind and counts.sum() < least}

    def pool(self, kind: str, groups: Collection[str], name: str) -> None:
        """Put some groups of a kind together under one name."""
        there = [self.groups.pop((kind, group)) for group in groups if (kind, group) in self.groups]
        if there:
            self.groups[kind, name] = np.sum(there, axis=0)


def entered(counts: Numbers, stage: int) -> int:
    """Return how many samples entered a stage."""
    return int(counts[stage:].sum())


def lost(counts: Numbers, first: int, last: int) -> int:
    """Return how many samples the stages `first` to `last` (both in) dropped or failed."""
    return int(counts[first : last + 1].sum())
