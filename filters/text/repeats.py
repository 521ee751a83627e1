"""How much of each row stands in word n-grams that it repeats.

An n-gram that occurs twice holds two (n-1)-grams that do, so that each n looks only where n - 1 found something: after
pairs of words little is left to sort.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.text.lines import in_row
from filters.text.slices import Hashes, Positions
from filters.text.words import Words

_STEP = np.uint64(0xA24BAED4963EE407)


@dataclass(frozen=True)
class Repeats:
    """The n-grams of one n that occur more than once in their row."""

    n: int
    places: Positions
    """int64[m]: the first word of each, in order."""
    groups: Positions
    """int64[m]: equal n-grams of a row have the same number, from 0."""


def repeats(words: Words, most: int) -> Iterator[Repeats]:
    """Yield the repeated n-grams for n from 2 to `most`."""
    counts = words.counts()
    row = np.repeat(np.arange(len(counts)), counts)
    last = np.repeat(words.offsets[1:], counts)
    keys = in_row(words.hashes, row)
    places = np.flatnonzero(np.arange(len(row)) + 1 < last)
    for n in range(2, most + 1):
        keys[places] = keys[places] * _STEP + words.hashes[places + n - 1]
        found = _grouped(n, places, keys[places])
        yield found
        again = np.zeros(len(row) + 1, np.bool_)
        again[found.places] = True
        places = found.places
        places = places[again[places + 1] & (places + n < last[places])]


def _grouped(n: int, places: Positions, keys: Hashes) -> Repeats:
    order = np.argsort(keys)
    ordered = keys[order]
    new = np.ones(len(order) + 1, np.bool_)
    new[1:-1] = ordered[1:] != ordered[:-1]
    several = ~(new[:-1] & new[1:])
    groups = np.cumsum(new[:-1][several]) - 1
    kept = order[several]
    back = np.argsort(kept)
    return Repeats(n, places[kept[back]], groups[back])


def top_characters(words: Words, found: Repeats) -> NDArray[np.int64]:
    """Return int64[rows]: the characters, spaces between words included, of all places of the commonest n-gram.

    Of several as common, the first counts; a row without n words has none.
    """
    n, ends = found.n, _running(words)
    rows = len(words.offsets) - 1
    place = np.where(words.counts() >= n, words.offsets[:-1], 0)
    times = (words.counts() >= n).astype(np.int64)
    if len(found.places):
        counts = np.bincount(found.groups)
        first = np.full(len(counts), len(ends), np.int64)
        np.minimum.at(first, found.groups, found.places)
        row = np.searchsorted(words.offsets, first, side="right") - 1
        order = np.lexsort((first, -counts, row))
        best = order[np.concatenate([[True], row[order][1:] != row[order][:-1]])]
        place[row[best]], times[row[best]] = first[best], counts[best]
    length = np.zeros(rows, np.int64)
    some = times > 0
    length[some] = ends[place[some] + n] - ends[place[some]] + n - 1
    return length * times


def repeated_characters(words: Words, found: Repeats) -> NDArray[np.int64]:
    """Return int64[rows]: the characters of n-grams seen before, each character once.

    A row is read from its beginning: an n-gram that was read before counts, and reading goes on behind it; else it goes
    on with the next word. What is passed over is not read.
    """
    ends = _running(words)
    chosen = found.places[chosen_apart(found.places, found.groups, found.n)]
    row = np.searchsorted(words.offsets, chosen, side="right") - 1
    weights = ends[chosen + found.n] - ends[chosen]
    return np.bincount(row, weights, len(words.offsets) - 1).astype(np.int64)


def _running(words: Words) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(words.lengths)])


def chosen_apart(places: Positions, groups: Positions, n: int) -> NDArray[np.bool_]:
    """Return bool[m]: which n-grams count as seen before, when what overlaps one that counts is passed over.

    What is read depends on what was read before, so this goes one by one, over repeated n-grams alone: 0.1 microseconds
    each, half of what it takes to guess and correct all at once, and never more.
    """
    chosen = np.zeros(len(places), np.bool_)
    read = bytearray(int(groups.max(initial=-1)) + 1)
    reached = 0
    taken = []
    for index, (place, group) in enumerate(zip(places.tolist(), groups.tolist(), strict=True)):
        if place < reached:
            continue
        if read[group]:
            taken.append(index)
            reached = place + n
        read[group] = 1
    chosen[taken] = True
    return chosen
