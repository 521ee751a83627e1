"""Which sample of which source stands at a place of the training order: pure functions, with no state but the place.

Without weights all samples together are shown once in each epoch. With weights places come in cycles of SLOTS: each
source has a fixed number of the slots of a cycle, shuffled anew for every cycle, and runs through epochs of its own.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import Protocol

from curate.errors import TrainError
from curate.train.order import permute, positions, sampler

SLOTS = 4096
"""Of a cycle: a share is kept to 1/8192. A power of 4, the sizes at which `permute` never walks."""
_SLOT_STREAM = 2
"""Sets the shuffling of slots apart from the permutations of samples, whose keys go on with 0 and 1."""

At = tuple[int, int]
"""A source's number and a sample's index in it."""


class Order(Protocol):
    """An order of samples, and its inverse."""

    def training(self, place: int) -> At:
        """Return the sample at a place of the training order."""
        ...

    def held_out(self, number: int) -> At:
        """Return one of the samples that are never trained on."""
        ...

    def places(self, at: At, until: int) -> list[int] | None:
        """Return all places before `until` at which a sample stands; None where it is held out."""
        ...


class Together:
    """All samples of all sources in one permutation."""

    def __init__(self, sizes: Sequence[int], held_out: int, seed: int) -> None:
        """Take how many samples each source has."""
        self._starts = list(accumulate(sizes, initial=0))
        self._key = (self._starts[-1], held_out, seed)
        self._training, self._held_out = sampler(*self._key)

    def training(self, place: int) -> At:
        """Return the sample at a place; each stands at one place of an epoch."""
        return self._at(self._training(place))

    def held_out(self, number: int) -> At:
        """Return one of the samples that are never trained on."""
        return self._at(self._held_out(number))

    def places(self, at: At, until: int) -> list[int] | None:
        """Return all places before `until` at which a sample stands; None where it is held out."""
        source, index = at
        return _before(positions(self._starts[source] + index, *self._key), until)

    def _at(self, number: int) -> At:
        source = bisect_right(self._starts, number) - 1
        return source, number - self._starts[source]


class Weighted:
    """Sources in shares that follow weights, each in a permutation of its own."""

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], held_out: int, seed: int) -> None:
        """Deal slots by weight, and what is held out by size.

        Raises:
            TrainError: a source has no slot, or no sample to train on.
        """
        self._slots = deal(SLOTS, weights)
        self._held = deal(held_out, sizes)
        for number, (slots, size, held) in enumerate(zip(self._slots, sizes, self._held, strict=True), 1):
            if not slots:
                raise TrainError(f"source {number}: its weight is under 1/{SLOTS} of all. Raise it, or leave it out")
            if size <= held:
                raise TrainError(f"source {number}: holds {size} samples, of which held_out takes {held}: none is left")
        self._keys = [(size, held, seed, s) for s, (size, held) in enumerate(zip(sizes, self._held, strict=True))]
        self._samplers = [sampler(*key) for key in self._keys]
        self._slot_ends = list(accumulate(self._slots))
        self._held_starts = list(accumulate(self._held, initial=0))
        self._seed = seed
        self._cycle = lru_cache(8)(self._shuffled)

    def training(self, place: int) -> At:
        """Return the sample at a place; a source shows each of its samples once before it shows one again."""
        cycle, slot = divmod(place, SLOTS)
        source, rank = self._cycle(cycle)[slot]
        return source, self._samplers[source][0](cycle * self._slots[source] + rank)

    def held_out(self, number: int) -> At:
        """Return one of the samples that are never trained on."""
        source = bisect_right(self._held_starts, number) - 1
        return source, self._samplers[source][1](number - self._held_starts[source])

    def places(self, at: At, until: int) -> list[int] | None:
        """Return all places before `until` at which a sample stands; None where it is held out."""
        source, index = at
        own = positions(index, *self._keys[source])
        return None if own is None else _before((self._place(source, position) for position in own), until)

    def _place(self, source: int, position: int) -> int:
        cycle, rank = divmod(position, self._slots[source])
        return cycle * SLOTS + self._cycle(cycle).index((source, rank))

    def _shuffled(self, cycle: int) -> list[tuple[int, int]]:
        """Return, for each slot of a cycle, its source and how many slots before it are that source's."""
        before = [0] * len(self._slots)
        table = []
        for slot in range(SLOTS):
            source = bisect_right(self._slot_ends, permute(slot, SLOTS, self._seed, _SLOT_STREAM, cycle))
            table.append((source, before[source]))
            before[source] += 1
        return table


def deal(count: int, weights: Sequence[float]) -> list[int]:
    """Share `count` things out by weight, by largest remainder; of equal ones the first is served first."""
    total = sum(weights)
    quotas = [count * (weight / total) for weight in weights]
    dealt = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(weights)), key=lambda s: dealt[s] - quotas[s])
    for source in by_remainder[: count - sum(dealt)]:
        dealt[source] += 1
    return dealt


def _before(places: Iterator[int] | None, until: int) -> list[int] | None:
    return None if places is None else list(takewhile(lambda place: place < until, places))
