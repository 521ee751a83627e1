"""The sets that texts are compared by: hashes of all runs of n words, or of n characters.

A word's hash is a polynomial of its characters modulo 2**64, taken for all words at once from sums over the text, as
Karp and Rabin's rolling hash is (1987); a shingle's is one of its words' hashes. Both are then mixed by the finalizer
of splitmix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014). Nothing is random: the same
text has the same set everywhere. An adversary can make texts collide; nothing here guards against that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curate.dedupe.folded import OWN, PIECE, Block, blocks

Unit = Literal["words", "characters"]
_ODD = 0x9E3779B97F4A7C1B
"""Of words. Odd, so that it has an inverse; 3 modulo 8, so that its powers differ in as many bits as can be."""
_SHINGLE_ODD = 0xD1342543DE82EF95


@dataclass(frozen=True)
class Hashed:
    """Hashes of n texts, one text after another."""

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    """int64[n + 1]: where each text's begin."""

    def counts(self) -> NDArray[np.int64]:
        """Return int64[n]."""
        return np.diff(self.offsets)


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return splitmix64's finalizer of each value: one to one, and each bit depends on all."""
    values = values ^ (values >> np.uint64(30))
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def shingles(texts: Sequence[str | None], n: int, unit: Unit = "words") -> Hashed:
    """Return the set of each text's shingles: sorted, each once.

    A text of fewer than n words (characters) has one shingle, the whole; a text without any, or null, has none.
    """
    return _sets(_runs(tokens(texts, unit), n))


def tokens(texts: Sequence[str | None], unit: Unit = "words") -> Hashed:
    """Return the hashes of each text's words, or of its characters, where one blank stands for all that separates."""
    of_block = _words if unit == "words" else _characters
    found, counts = [], np.zeros(len(texts), np.int64)
    for block in blocks(texts):
        hashes, places = of_block(block)
        found.append(hashes)
        inside = np.diff(np.searchsorted(places, block.begins))
        np.add.at(counts, block.texts, inside)
    return Hashed(np.concatenate([np.empty(0, np.uint64), *found]), _offsets(counts))


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])


def word_bounds(codes: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where words start and stop among codes that begin and end with a separator."""
    letter = codes != 0
    start, stop = letter[1:] > letter[:-1], letter[:-1] > letter[1:]
    own = codes >= OWN
    if own.any():
        beside = own[1:] | own[:-1]
        start |= letter[1:] & beside
        stop |= letter[:-1] & beside
    return np.flatnonzero(start) + 1, np.flatnonzero(stop) + 1


def _words(block: Block) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hash of each word, and where it starts."""
    codes = block.codes
    starts, stops = word_bounds(codes)
    powers, inverses = _powers()
    sums = codes * powers[: len(codes)]
    np.cumsum(sums, out=sums)
    return mixed((sums[stops - 1] - sums[starts - 1]) * inverses[starts]), starts


@lru_cache(1)
def _powers() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the powers of _ODD, and of its inverse, that the places of a block can ask for."""
    most = 2 * PIECE + 3
    return _first_powers(_ODD, most), _first_powers(pow(_ODD, -1, 1 << 64), most)


def _first_powers(number: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, number, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


def _characters(block: Block) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hash of each letter and of each first separator behind one, and where it stands."""
    letter = block.codes != 0
    places = np.flatnonzero(letter[1:] | letter[:-1]) + 1
    return mixed(block.codes[places].astype(np.uint64) + np.uint64(1)), places


def _runs(parts: Hashed, n: int) -> Hashed:
    """Return the hash of each run of n of a text's parts; of all of them, where there are fewer."""
    counts, stops = parts.counts(), parts.offsets[1:]
    hashes = np.zeros_like(parts.hashes)
    full = max(len(hashes) - n + 1, 0)
    if full:
        hashes[:full] = _polynomial([parts.hashes[k : k + full] for k in range(n)])
    whole = np.ones(len(hashes), bool)
    for k in range(1, n):
        whole[stops[counts >= k] - k] = False
    for k in range(1, n):
        starts = stops[counts == k] - k
        hashes[starts] = _polynomial([parts.hashes[starts + i] for i in range(k)])
        whole[starts] = True
    return Hashed(mixed(hashes[whole]), _offsets(np.where(counts == 0, 0, np.maximum(counts - n + 1, 1))))


def _polynomial(terms: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    first, *others = terms
    total = first.copy()
    for term in others:
        total *= np.uint64(_SHINGLE_ODD)
        total += term
    return total


def _sets(runs: Hashed) -> Hashed:
    """Sort the hashes of each text, and leave each once."""
    hashes, offsets = runs.hashes, runs.offsets
    counts = runs.counts()
    for row in np.flatnonzero(counts > 1).tolist():
        hashes[offsets[row] : offsets[row + 1]].sort()
    first = first_of_each(hashes, offsets)
    return Hashed(hashes[first], _offsets(sums_of_each(first, offsets).astype(np.int64)))


def first_of_each(values: NDArray[np.generic], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which of sorted values are not a repetition, within each text."""
    first = np.ones(len(values), bool)
    first[1:] = values[1:] != values[:-1]
    first[offsets[:-1][np.diff(offsets) > 0]] = True
    return first


def sums_of_each(values: NDArray[np.generic], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return uint64[n]: the sum of each text's values, modulo 2**64; of none it is 0."""
    sums = np.zeros(len(offsets) - 1, np.uint64)
    some = np.diff(offsets) > 0
    if some.any():
        sums[some] = np.add.reduceat(values, offsets[:-1][some], dtype=np.uint64)
    return sums


def of_sets(sets: Hashed) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return two uint64[n], 128 bits: a hash of each set that no order enters, and no signature."""
    counts = sets.counts().astype(np.uint64)
    twisted = mixed(sets.hashes ^ np.uint64(_ODD))
    node = mixed(sums_of_each(sets.hashes, sets.offsets) ^ counts)
    return node, mixed(sums_of_each(twisted, sets.offsets) + counts)
