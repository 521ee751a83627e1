"""The words of a slice: where each begins and ends, its hash, and what its characters are."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from filters.text.affixes import Cutter
from filters.text.classes import ACTIVE, DIGIT, MARK, SPACE, UNSPACED, Flags, english
from filters.text.exceptions import NONE, exceptions
from filters.text.slices import Hashes, Positions, Slice, slice_of

Mask = NDArray[np.bool_]
_MOST_JOINED = 6
"""Words that an emoticon at the end of another word was cut into, at most."""


@dataclass(frozen=True)
class Words:
    """All words of a slice, in order."""

    slice: Slice
    starts: Positions
    ends: Positions
    any: Flags
    """uint32[w]: the flags that one of its characters has."""
    all: Flags
    """uint32[w]: the flags that every one of its characters has."""

    @cached_property
    def offsets(self) -> Positions:
        """Return int64[rows + 1], which word is the first of each row."""
        return np.searchsorted(self.starts, self.slice.starts)

    @cached_property
    def hashes(self) -> Hashes:
        """Return uint64[w]."""
        return self.slice.hashes(self.starts, self.ends)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Return int64[w], code points."""
        return self.ends - self.starts

    def counts(self) -> NDArray[np.int64]:
        """Return int64[rows], words of each row."""
        return np.diff(self.offsets)

    def per_row(self, values: NDArray[np.int64] | Mask) -> NDArray[np.int64]:
        """Return int64[rows], the sum of a value of each word."""
        return sums_between(values, self.offsets)


def sums_between(values: NDArray[np.int64] | Mask, offsets: Positions) -> NDArray[np.int64]:
    """Return the sum of the values from each offset to the next."""
    running = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    return np.diff(running[offsets])


def words_of(text: Slice) -> Words:
    """Cut a slice into words: runs of characters other than white space, cut further by `affixes`."""
    edge = chunk_edges(text)
    starts, ends, found, _ = _between(text, edge)
    plain = (found & ACTIVE) == 0
    plain &= ((found & DIGIT) == 0) | ((text.flags[ends - 1] & DIGIT) != 0)
    known = exceptions()
    short = np.flatnonzero(plain & (ends - starts <= known.lexicon.longest))
    which = known.lexicon.find(text.hashes(starts[short], ends[short]))
    special = which != NONE
    edge[known.cut(starts[short[special]], which[special])] = True
    rest = np.flatnonzero(~plain)
    Cutter(text, edge).cut(starts[rest], ends[rest])
    _join(text, edge, starts[rest], ends[rest])
    return Words(text, *_between(text, edge))


@dataclass(frozen=True)
class Chunks:
    """What white space parts, in order."""

    starts: Positions
    ends: Positions


def chunks_of(text: Slice) -> Chunks:
    """Part a slice where `str.split` does."""
    starts, ends, _, _ = _between(text, chunk_edges(text))
    return Chunks(starts, ends)


def by_character(words: Words) -> Words:
    """Cut what is written in a script without spaces into characters, each with its combining marks."""
    text = words.slice
    if len(words.any) == 0 or not (np.bitwise_or.reduce(words.any) & UNSPACED):
        return words
    edge = np.zeros(len(text.points) + 1, np.bool_)
    edge[words.starts] = True
    edge[words.ends] = True
    alone = (text.flags & UNSPACED) != 0
    mark = (text.flags & MARK) != 0
    edge[:-1] |= alone & ~mark
    edge[1:-1] |= alone[:-1] & ~mark[1:]
    return Words(text, *_between(text, edge))


def chunk_edges(text: Slice) -> Mask:
    """Return bool[n + 1]: where white space begins or ends, and where rows do."""
    space = (text.flags & SPACE) != 0
    edge = np.zeros(len(text.points) + 1, np.bool_)
    edge[1:-1] = space[1:] != space[:-1]
    edge[text.starts] = True
    edge[len(text.points)] = True
    return edge


def _between(text: Slice, edge: Mask) -> tuple[Positions, Positions, Flags, Flags]:
    """Return starts, ends and flags of what stands between edges, white space left out."""
    bounds = np.flatnonzero(edge)
    if len(bounds) < 2:  # noqa: PLR2004 - a beginning and an end
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing.astype(np.uint32), nothing.astype(np.uint32)
    starts = bounds[:-1]
    found, shared = (of.reduceat(text.flags, starts) for of in (np.bitwise_or, np.bitwise_and))
    words = (shared & SPACE) == 0
    return starts[words], bounds[1:][words], found[words], shared[words]


def _join(text: Slice, edge: Mask, starts: Positions, ends: Positions) -> None:
    """Put together again what is an exception but was cut off another word: the `:)` of `word:)`."""
    known, firsts = exceptions(), np.flatnonzero(edge)
    if len(starts) == 0:
        return
    chunk = np.searchsorted(starts, firsts, side="right") - 1
    inside = (chunk >= 0) & (firsts <= ends[chunk])
    firsts, last = firsts[inside], ends[chunk[inside]]
    seen: set[int] = set()
    for many in range(_MOST_JOINED, 1, -1):
        begin, end = firsts[:-many], firsts[many:]
        near = np.flatnonzero((end - begin <= known.lexicon.longest) & (end <= last[:-many]))
        which = known.lexicon.find(text.hashes(begin[near], end[near]))
        for place, index in zip(near[which != NONE].tolist(), which[which != NONE].tolist(), strict=True):
            within = firsts[place + 1 : place + many]
            if tuple((within - begin[place]).tolist()) != _cut_as_text(index):
                continue
            if seen.isdisjoint((place, place + many - 1)):
                edge[within] = False
                edge[known.cut(begin[place : place + 1], np.array([index]))] = True
            seen.update(range(place, place + many))  # what was found spoils what overlaps it, taken or not


@lru_cache(maxsize=1 << 12)
def _cut_as_text(index: int) -> tuple[int, ...]:
    """Return where an exception would be cut if it were none."""
    spelled = english()["exceptions"][index].replace(" ", "")
    text = slice_of(spelled, [len(spelled)])
    edge = chunk_edges(text)
    Cutter(text, edge, knows_exceptions=False).cut(text.starts[:1], text.starts[1:])
    return tuple(np.flatnonzero(edge)[1:-1].tolist())
