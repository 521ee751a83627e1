"""Jaccard's similarity of the sets that pairs of texts are compared by, for many pairs at once."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.dedupe.shingles import Hashed, first_of_each, sums_of_each

_AT_ONCE = 1 << 21
"""Members of both sides; their sorting takes 16 bytes each."""


def packed(sets: Hashed, apart: NDArray[np.bool_]) -> pa.LargeListArray:
    """Return large_list<uint32>[n], null where `apart`: the upper half of each hash, sorted and each once.

    Of sets of 10,000 members one pair in a hundred would lose a member by that, of 10 million one member in 860.
    """
    halves = (sets.hashes >> np.uint64(32)).astype(np.uint32)
    first = first_of_each(halves, sets.offsets)
    offsets = np.concatenate([[0], np.cumsum(sums_of_each(first, sets.offsets).astype(np.int64))])
    mask = pa.array(apart) if apart.any() else None
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(halves[first]), mask=mask)


def similar_sets(left: pa.Array, right: pa.Array, at_least: float) -> NDArray[np.bool_]:
    """Tell which of m sets have at least that similarity to their counterpart, exactly."""
    sizes = np.stack([pc.list_value_length(side).to_numpy().astype(np.int64) for side in (left, right)])
    similar = np.zeros(len(left), bool)
    # Similarity is at most the ratio of the sizes: most chance meetings need no look at the sets.
    rows = np.flatnonzero(sizes.min(axis=0) >= at_least * sizes.max(axis=0))
    members = sizes[:, rows].sum(axis=0)
    ends, start = np.cumsum(members), 0
    while start < len(rows):
        most = ends[start] - members[start] + _AT_ONCE
        stop = max(start + 1, int(np.searchsorted(ends, most, "right")))
        chosen = rows[start:stop]
        places = pa.array(chosen)
        shared = _shared(left.take(places), right.take(places), sizes[:, chosen])
        similar[chosen] = shared / (members[start:stop] - shared) >= at_least
        start = stop
    return similar


def _shared(left: pa.Array, right: pa.Array, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count what each set shares with its counterpart: sorted together, it stands there twice."""
    pairs = np.arange(len(left), dtype=np.uint64) << np.uint64(32)
    sides = [
        np.repeat(pairs, size) | side.flatten().to_numpy().astype(np.uint64)
        for side, size in zip((left, right), sizes, strict=True)
    ]
    members = np.concatenate(sides)
    members.sort()
    twice = members[1:][members[1:] == members[:-1]]
    return np.bincount((twice >> np.uint64(32)).astype(np.int64), minlength=len(left))
