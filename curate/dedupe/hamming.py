"""All pairs of 256-bit hashes that differ in at most `radius` bits: by multi-index hashing, exactly, in bounded memory.

Source: Norouzi, Punjani and Fleet, Fast Search in Hamming Space with Multi-Index Hashing (2012), arXiv:1307.2982:
hashes are cut into m substrings. Two hashes within r = m * a + b of each other (b < m) are within a in one of the first
b + 1 substrings, or within a - 1 in one of the others (section 3). So each substring of the one, with every choice of
so few bits turned, is looked up in a table of the other's, and what is found is compared whole. Where we differ: both
sides are sorted by the substring and looked up together, one turned bit pattern at a time; substrings need not cover
all bits; m is chosen by what it will cost here, not by log2 N alone.

Measured on one core at radius 31: all pairs of a million random hashes in 16 s, 2 * 10**9 compared whole; of 100,000 in
0.5 s. Memory is about 100 bytes a hash and 50 MB, whatever the hashes are. Time is quadratic where many hashes share
substrings and are no pairs, and where all pairs of a large cluster are asked for; with `nodes` a cluster is joined by
few of its pairs (100,000 distinct hashes near one another: 0.7 s).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from curate.dedupe.spanning import Nodes

BITS = 256
_WORD = 64
_WORDS = BITS // _WORD
_WIDEST = 22
"""Bits of the widest substring: a table of where each value stands takes four bytes for each of 2**22."""
_CHUNK = 1 << 18
"""Candidates compared at once."""
_CANDIDATE_S, _ROW_S, _VALUE_S, _PATTERN_S = 7e-9, 1e-7, 4e-9, 2e-5
"""Seconds of one core for a comparison, a hash's sorting, a table's entry and a turned pattern; measured."""

Words = NDArray[np.uint64]
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Part:
    """A substring, and within how many bits of each other pairs may be found by it."""

    start: int
    width: int
    radius: int

    def of(self, words: Words) -> NDArray[np.int64]:
        """Return int64[n], the substring of each of n hashes as a number."""
        word, offset = divmod(self.start, _WORD)
        low = words[:, word] >> np.uint64(offset)
        if offset + self.width > _WORD:
            low |= words[:, word + 1] << np.uint64(_WORD - offset)
        return (low & np.uint64((1 << self.width) - 1)).astype(np.int64)

    def turned(self) -> Iterator[int]:
        """Yield every pattern of at most `radius` of its bits."""
        for count in range(self.radius + 1):
            for bits in combinations(range(self.width), count):
                yield sum(1 << bit for bit in bits)

    def patterns(self) -> int:
        """Return how many `turned` yields."""
        return sum(comb(self.width, count) for count in range(self.radius + 1))


def pairs(
    left: NDArray[np.uint8], right: NDArray[np.uint8] | None, radius: int, nodes: Nodes | None = None
) -> Iterator[Pairs]:
    """Yield the places (i, j) of all pairs of left[i] and right[j] within `radius` bits, each once, in chunks.

    Both are uint8[n, 32]. Without `right`, pairs are among the left, i < j. With `nodes`, pairs that are joined already
    are left out, and looked for no further; whoever iterates joins what is yielded.
    """
    one, other = _words(left), None if right is None else _words(right)
    parts = choose(len(one), len(one) // 2 if other is None else len(other), radius)
    for number, part in enumerate(parts):
        for i, j in _Search(part, one, other, radius, nodes).found():
            new = _unseen(parts[:number], one[i], (one if other is None else other)[j])
            yield (np.minimum(i, j)[new], np.maximum(i, j)[new]) if other is None else (i[new], j[new])


def choose(n: int, m: int, radius: int) -> tuple[Part, ...]:
    """Return the substrings by which to look up n hashes among m others at the least cost; one of no bits for few."""
    return min((_split(count, width, radius) for count, width in _splits()), key=lambda parts: cost(parts, n, m))


def cost(parts: tuple[Part, ...], n: int, m: int) -> float:
    """Return about how many seconds a search takes, if the hashes are as random ones are."""
    return sum(
        part.patterns() * (_PATTERN_S + n * (_look_up_s(part.width) + _CANDIDATE_S * m / 2**part.width))
        + _ROW_S * (n + m)
        + _VALUE_S * 2**part.width
        for part in parts
    )


def _look_up_s(width: int) -> float:
    """Return what a look-up takes; a table of more than 2**16 entries leaves the cache nearest to the core."""
    return 5e-9 * 2.0 ** (max(0, width - 16) / 3.5)


def _splits() -> Iterator[tuple[int, int]]:
    """Yield how many substrings of how many bits may be tried."""
    yield 1, 0
    for count in range(1, BITS // 4 + 1):
        for width in range(4, min(_WIDEST, BITS // count) + 1):
            yield count, width


def _split(count: int, width: int, radius: int) -> tuple[Part, ...]:
    each, rest = divmod(radius, count)
    radii = [each] * (rest + 1) + [each - 1] * (count - rest - 1)
    if width == 0:
        return (Part(0, 0, 0),)
    return tuple(Part(n * (BITS // count), width, r) for n, r in enumerate(radii) if r >= 0)


def _words(bits: NDArray[np.uint8]) -> Words:
    return np.ascontiguousarray(bits).view("<u8").reshape(-1, _WORDS).astype(np.uint64)


def _unseen(parts: tuple[Part, ...], left: Words, right: Words) -> NDArray[np.bool_]:
    """Return which of n pairs none of the parts before has found."""
    apart = left ^ right
    unseen = np.ones(len(apart), bool)
    for part in parts:
        unseen &= np.bitwise_count(part.of(apart)) > part.radius
    return unseen


class _Search:
    """The pairs that one part finds."""

    def __init__(self, part: Part, left: Words, right: Words | None, radius: int, nodes: Nodes | None) -> None:
        self._part, self._radius, self._nodes, self._alone = part, radius, nodes, right is None
        self._left = _Sorted(part, left)
        self._right = self._left if right is None else _Sorted(part, right)
        counts = np.bincount(self._right.values, minlength=1 << part.width)
        self._starts = np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])
        self._seen = -1

    def found(self) -> Iterator[Pairs]:
        for pattern in self._part.turned():
            spans = self._looked_up(pattern)
            # A cluster is joined by few of its pairs: each with its next candidate, then the next 8, 64 and so on.
            step = len(self._right.order) if self._nodes is None else 1
            while len(spans):
                until = np.minimum(spans.first + step, spans.last)
                yield from self._in_chunks(_Spans(spans.row, spans.first, until))
                spans = _Spans(spans.row, until, spans.last).of(until < spans.last)
                step *= 8

    def _in_chunks(self, spans: "_Spans") -> Iterator[Pairs]:
        while len(spans):
            if self._nodes is not None:
                self._learn(self._nodes)
                spans = spans.of(self._uniform[spans.first] != self._labels[spans.row])
            most = max(1, int(np.searchsorted(np.cumsum(spans.last - spans.first), _CHUNK, "right")))
            yield from self._compared(spans.of(slice(most)))
            spans = spans.of(slice(most, None))

    def _looked_up(self, pattern: int) -> "_Spans":
        values = self._left.values
        wanted = values ^ pattern
        first, last = self._starts[wanted].astype(np.int64), self._starts[wanted + 1].astype(np.int64)
        if self._alone and pattern == 0:
            first = np.arange(1, len(values) + 1)  # each with those after it
        some = first < last
        if self._alone and pattern:
            some &= values < wanted  # the other way round it is the same pair
        row = np.flatnonzero(some)
        return _Spans(row, first[row], last[row])

    def _compared(self, spans: "_Spans") -> Iterator[Pairs]:
        counts = spans.last - spans.first
        i = np.repeat(spans.row, counts)
        j = np.arange(len(i)) + np.repeat(spans.first - np.cumsum(counts) + counts, counts)
        if self._nodes is not None:
            apart = self._labels[i] != self._right_labels[j]
            i, j = i[apart], j[apart]
        # Of hashes that are no pair half the bits tell nearly all.
        i, j, bits = self._within(i, j, np.zeros(len(i), np.uint8), (0, 1))
        i, j, _ = self._within(i, j, bits, (2, 3))
        if len(i):
            yield self._left.order[i], self._right.order[j]

    def _within(
        self, i: NDArray[np.int64], j: NDArray[np.int64], bits: NDArray[np.uint8], words: tuple[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
        for word in words:
            bits = bits + np.bitwise_count(self._left.columns[word][i] ^ self._right.columns[word][j])
        near = np.flatnonzero(bits <= self._radius)
        return i[near], j[near], bits[near]

    def _learn(self, nodes: Nodes) -> None:
        """Take over what was joined since."""
        if nodes.changes == self._seen:
            return
        self._seen = nodes.changes
        self._labels = nodes.of_left()[self._left.order]
        self._right_labels = nodes.of_right()[self._right.order]
        heads = np.flatnonzero(np.diff(self._right.values, prepend=-1))
        lowest = np.minimum.reduceat(self._right_labels, heads)
        same = lowest == np.maximum.reduceat(self._right_labels, heads)
        runs = np.diff(heads, append=len(self._right_labels))
        self._uniform = np.repeat(np.where(same, lowest, -1), runs)
        """The label of all candidates that share a place's substring; -1 where they have several."""


@dataclass(frozen=True)
class _Spans:
    """Places on the left, in order of the substring, each with its candidates: a span of places on the right."""

    row: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def of(self, chosen: slice | NDArray[np.bool_]) -> "_Spans":
        return _Spans(self.row[chosen], self.first[chosen], self.last[chosen])


class _Sorted:
    """Hashes in order of their substring, so that candidates stand together."""

    def __init__(self, part: Part, words: Words) -> None:
        values = part.of(words)
        self.order = np.argsort(values, kind="stable")
        self.values = values[self.order]
        self.columns = [np.ascontiguousarray(words[self.order, word]) for word in range(_WORDS)]
