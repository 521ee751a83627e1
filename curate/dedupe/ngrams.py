"""An index of the n-grams of evaluation sets, and the texts of a corpus looked up in it, a column at a time.

An n-gram is n words of folded text, see `curate.dedupe.folding`, told by two 64-bit hashes. One table of flags, sixteen
places for each n-gram, answers for nearly all n-grams of a clean text; what passes it is searched among the sorted
first hashes, and what is found there must have the second hash too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.dedupe.evaluation import Item
from curate.dedupe.word_hashes import MULTIPLIERS, Hashes, Words, runs, slices, words

Places = NDArray[np.int64]
_ROOM_BITS = 4
"""Places in the table of flags for each n-gram, as a power of two: 6 in 100 n-grams of clean text pass it."""


@dataclass(frozen=True)
class Looking:
    """What of an item is looked for."""

    n: int
    """Words."""
    shortest: int
    """Words. A text shorter than n is looked for whole from here on."""
    parts: tuple[str, ...]
    """query, label, and across: the runs that hold words of both."""
    common: int | None
    """Texts. An n-gram of more of them is a phrase of the test's form, and not looked for."""
    most_numbers: float
    """Share of an n-gram's words. All numbers fold to one: what holds more of them would be found in any table."""


@dataclass(frozen=True)
class Runs:
    """Runs of one length."""

    length: int
    first: Hashes
    """uint64[m], sorted, each once."""
    second: Hashes
    flags: NDArray[np.bool_]
    offset: int
    """Number of its first run among those of all lengths."""

    def found(self, texts: Words) -> tuple[Places, Places]:
        """Return where in the words a run of the index begins, and which; both int64[k]."""
        hashes = runs(texts.hashes, self.length)
        at = np.flatnonzero(self.flags[_slot(hashes, len(self.flags))])
        if not len(at):
            return at, at
        which = np.minimum(np.searchsorted(self.first, hashes[at]), len(self.first) - 1)
        same = self.first[which] == hashes[at]
        at, which = at[same], which[same]
        row = np.searchsorted(texts.rows, at, side="right") - 1
        same = (at + self.length <= texts.rows[row + 1]) & (self.second[which] == self._seconds(texts.hashes, at))
        return at[same], which[same] + self.offset

    def _seconds(self, hashes: Hashes, at: Places) -> Hashes:
        second = np.zeros(len(at), np.uint64)
        for step in range(self.length):
            second = second * np.uint64(MULTIPLIERS[1]) + hashes[at + step]
        return second


@dataclass(frozen=True)
class Hits:
    """What was found in n rows."""

    hits: NDArray[np.int64]
    """int64[n]: at how many words of the row an n-gram of a test begins."""
    rows: Places
    """int64[k]: rows that hold part of an item, sorted; one entry for each row and item."""
    items: Places
    """int64[k]: which item."""
    found: Places
    """int64[k]: how many of the item's n-grams the row holds."""


class Index:
    """The n-grams of all sets, and which items they are of."""

    def __init__(self, sets: Mapping[str, Sequence[Item]], how: Looking, allowed: Iterable[str] = ()) -> None:
        """Hash all items; n-grams that stand in `allowed` texts are not looked for."""
        self.names = [(name, item.id) for name, items in sets.items() for item in items]
        sequences, owner = _sequences([item for items in sets.values() for item in items], how)
        texts = words(pa.array(list(allowed), pa.string()))
        self.lengths: list[Runs] = []
        run_of, item_of = [], []
        for length in sorted({min(how.n, len(s)) for s in sequences}):
            mine = [i for i, s in enumerate(sequences) if min(how.n, len(s)) == length]
            hashed = _hashed([sequences[i] for i in mine], owner[mine], length, how.most_numbers)
            first, seconds, run, items = _unique(hashed, how.common, runs(texts.hashes, length))
            offset = sum(len(r.first) for r in self.lengths)
            self.lengths.append(Runs(length, first, seconds, _flags(first), offset))
            run_of.append(run + offset)
            item_of.append(items)
        self._link(_concatenated(run_of), _concatenated(item_of))

    def _link(self, run: Places, item: Places) -> None:
        """Keep the items of each run, and the runs of each item: `totals` counts them."""
        order = np.lexsort((item, run))
        self._items = item[order]
        self._begins = np.searchsorted(run[order], np.arange(sum(len(r.first) for r in self.lengths) + 1))
        self.totals = np.bincount(item, minlength=len(self.names))

    def find(self, texts: pa.Array, owners: NDArray[np.integer], count: int) -> Hits:
        """Look up texts; `owners` says to which of `count` rows each belongs."""
        hits = np.zeros(count, np.int64)
        rows, which = [], []
        for part in slices(texts):
            hashed = words(texts[part])
            for length in self.lengths:
                at, found = length.found(hashed)
                row = owners[part][np.searchsorted(hashed.rows, at, side="right") - 1]
                hits += np.bincount(row, minlength=count)
                rows.append(row)
                which.append(found)
        return Hits(hits, *self._by_item(_concatenated(rows), _concatenated(which)))

    def _by_item(self, rows: Places, which: Places) -> tuple[Places, Places, Places]:
        rows, which, _ = _pairs(rows, which)
        counts = self._begins[which + 1] - self._begins[which]
        before = self._begins[which] - np.cumsum(counts) + counts
        items = self._items[np.arange(counts.sum()) + np.repeat(before, counts)]
        return _pairs(np.repeat(rows, counts), items)


def _pairs(left: NDArray[np.integer], right: NDArray[np.integer]) -> tuple[Places, Places, Places]:
    """Return each pair once, sorted, and how often it is there."""
    size = int(right.max(initial=0)) + 1
    pairs, counts = np.unique(left.astype(np.int64) * size + right, return_counts=True)
    return pairs // size, pairs % size, counts


def _concatenated(parts: Sequence[NDArray[np.integer]]) -> Places:
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)


def _slot(hashes: Hashes, size: int) -> Places:
    return (hashes >> np.uint64(64 - (size - 1).bit_length())).astype(np.int64)


def _flags(first: Hashes) -> NDArray[np.bool_]:
    flags = np.zeros(1 << ((max(len(first), 2) - 1).bit_length() + _ROOM_BITS), np.bool_)
    flags[_slot(first, len(flags))] = True
    return flags


def _sequences(items: Sequence[Item], how: Looking) -> tuple[list[Hashes], Places]:
    """Return the runs of words whose n-grams are looked for, each once for an item, and the item of each."""
    queries = _hashes_of([item.queries for item in items])
    labels = _hashes_of([item.labels for item in items])
    found: dict[tuple[int, bytes], Hashes] = {}
    for number, (asked, answers) in enumerate(zip(queries, labels, strict=True)):
        wanted = (asked if "query" in how.parts else []) + (answers if "label" in how.parts else [])
        if "across" in how.parts:
            wanted += [np.concatenate([q[max(0, len(q) - how.n + 1) :], a[: how.n - 1]]) for q in asked for a in answers
                       if len(q) and len(a)]  # fmt: skip
        found |= {(number, s.tobytes()): s for s in wanted if len(s) >= min(how.shortest, how.n)}
    return list(found.values()), np.array([number for number, _ in found], np.int64)


def _hashes_of(texts: Sequence[Sequence[str]]) -> list[list[Hashes]]:
    column = pa.array([text for several in texts for text in several], pa.string())
    parts = [words(column[part]) for part in slices(column)]
    hashes = [h for part in parts for h in np.split(part.hashes, part.rows[1:-1])]
    ends = np.cumsum([0, *map(len, texts)])
    return [hashes[start:stop] for start, stop in pairwise(ends)]


@dataclass(frozen=True)
class _Hashed:
    """k runs of one length, as they stand in the items."""

    first: Hashes
    second: Hashes
    text: Places
    """Which of the distinct texts it stands in."""
    item: Places


def _hashed(sequences: Sequence[Hashes], owner: Places, length: int, most_numbers: float) -> _Hashed:
    whole = np.concatenate(sequences)
    lengths = np.array([len(s) for s in sequences])
    ends = np.cumsum(lengths)
    # A run that begins in the last words of a text would end in the next one's.
    inside = np.concatenate([np.arange(end - size, end - length + 1) for end, size in zip(ends, lengths, strict=True)])
    number: dict[bytes, int] = {}
    text = np.array([number.setdefault(s.tobytes(), len(number)) for s in sequences], np.int64)
    counts = lengths - length + 1
    numbers = np.concatenate([[0], np.cumsum(whole == words(pa.array(["0"])).hashes[0])])
    telling = numbers[inside + length] - numbers[inside] <= most_numbers * length
    first, second = (runs(whole, length, multiplier)[inside[telling]] for multiplier in MULTIPLIERS)
    return _Hashed(first, second, np.repeat(text, counts)[telling], np.repeat(owner, counts)[telling])


def _unique(hashed: _Hashed, common: int | None, allowed: Hashes) -> tuple[Hashes, Hashes, Places, Places]:
    """Return the distinct runs (first hash, second hash), and the pairs (run, item) without repetition."""
    first, at, run = np.unique(hashed.first, return_index=True, return_inverse=True)
    kept = ~np.isin(first, allowed)
    if common is not None:
        kept &= np.bincount(_pairs(run, hashed.text)[0], minlength=len(first)) <= common
    runs_kept, items, _ = _pairs(run[kept[run]], hashed.item[kept[run]])
    return first[kept], hashed.second[at][kept], (np.cumsum(kept) - 1)[runs_kept], items
