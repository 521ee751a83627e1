"""MinHash signatures, and how likely locality-sensitive hashing finds a pair by them.

Sources: Broder, On the Resemblance and Containment of Documents (1997): of a random order of all shingles, the chance
that two sets have the same first one is their Jaccard similarity. Leskovec, Rajaraman and Ullman, Mining of Massive
Datasets, section 3.4: signatures cut into bands of rows, compared where a band is equal.

The order is that of `a * half + b` modulo 2**32, with a odd: one to one on a 32-bit half of a shingle's hash. Since
those hashes are as good as random, each such order is as good as a random one. Every other order takes the other half,
so a band of two rows or more holds all 64 bits: short texts, whose only shingle decides every row, meet by chance no
more often than by their hashes. The multipliers come from splitmix64's sequence; no generator of a library is asked.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from curate.dedupe.shingles import Hashed, mixed

_GOLDEN = 0x9E3779B97F4A7C15
_AT_ONCE = 1 << 15
"""Shingles: 128 KiB of them and as much of their order stay in a core's own cache."""


@lru_cache(8)
def _orders(permutations: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the multipliers and the additions, uint32[permutations] each."""
    sequence = mixed(np.arange(1, permutations + 1, dtype=np.uint64) * np.uint64(_GOLDEN))
    return (sequence >> np.uint64(32)).astype(np.uint32) | np.uint32(1), sequence.astype(np.uint32)


def signatures(sets: Hashed, permutations: int) -> NDArray[np.uint32]:
    """Return uint32[n, permutations]: for each order, the least of each set; the largest number for an empty set."""
    multipliers, additions = _orders(permutations)
    filled = np.flatnonzero(sets.counts())
    least = np.full((permutations, len(filled)), 0xFFFFFFFF, np.uint32)
    halves = sets.hashes.astype(np.uint32), (sets.hashes >> np.uint64(32)).astype(np.uint32)
    begins = sets.offsets[filled]
    ordered = np.empty(_AT_ONCE, np.uint32)
    for start in range(0, len(sets.hashes), _AT_ONCE):
        stop = min(start + _AT_ONCE, len(sets.hashes))
        rows = slice(int(np.searchsorted(begins, start, "right")) - 1, int(np.searchsorted(begins, stop)))
        inside = np.maximum(begins[rows] - start, 0)
        part = ordered[: stop - start]
        for order in range(permutations):
            np.multiply(halves[order % 2][start:stop], multipliers[order], out=part)
            np.add(part, additions[order], out=part)
            np.minimum(least[order, rows], np.minimum.reduceat(part, inside), out=least[order, rows])
    found = np.full((len(sets.offsets) - 1, permutations), 0xFFFFFFFF, np.uint32)
    found[filled] = least.T
    return found


def band_hashes(signed: NDArray[np.uint32], bands: int) -> NDArray[np.uint64]:
    """Return uint64[n, bands]: a hash of each band's number and rows."""
    rows = signed.reshape(len(signed), bands, signed.shape[1] // bands)
    hashes = np.broadcast_to(np.arange(1, bands + 1, dtype=np.uint64), rows.shape[:2]).copy()
    for row in range(rows.shape[2]):
        hashes ^= rows[:, :, row]
        hashes *= np.uint64(_GOLDEN)
        hashes ^= hashes >> np.uint64(29)
    return mixed(hashes)


def match_curve(jaccard: NDArray[np.float64], bands: int, rows: int) -> NDArray[np.float64]:
    """Return the chance that a pair of each similarity shares a band: 1 - (1 - s**rows)**bands."""
    return 1 - (1 - jaccard**rows) ** bands


def accepted(jaccard: float, bands: int, rows: int, least: int) -> float:
    """Return the chance that a pair shares a band and agrees in `least` rows of its signatures, or more.

    The sum over all numbers of rows that agree, less those of pairs of which every band has a row that differs.
    """
    row = np.array([1 - jaccard, jaccard])
    band = _power(row, rows)
    unequal = band.copy()
    unequal[-1] = 0
    return float((_power(band, bands) - _power(unequal, bands))[least:].sum())


def _power(distribution: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    """Return the distribution of the sum of so many independent numbers."""
    total = np.ones(1)
    for _ in range(times):
        total = np.convolve(total, distribution)
    return total


def agreement(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return float64[m]: the share of equal rows of m signatures and m others, which estimates Jaccard's similarity."""
    agreeing = [np.mean(left[a:b] == right[a:b], axis=1) for a, b in pairwise([*range(0, len(left), 8192), len(left)])]
    return np.concatenate([np.empty(0), *agreeing])
