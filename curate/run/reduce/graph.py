"""Graphs of rows that may say the same, as arrays: which pairs to look at, and what hangs together.

Nodes are 64-bit hashes of what rows say, so the same graph comes of any order of the input.
"""

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]
ALL_PAIRS = 16
"""Nodes of one band up to which every pair is looked at: what hangs together is found by fewer pairs, too."""
ALL_PAIRS_OF_LEADERS = 512
"""The same where a row must be compared with every better one: a leader may be any of the band."""
NEIGHBOURS = 4
"""In a larger band each node is compared with the smallest and with as many that follow it: work stays linear."""


def distinct(*columns: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return the places of the first of each distinct tuple of equally long columns, ordered by the tuples."""
    order = np.lexsort(columns[::-1])
    if not len(order):
        return order
    new = np.zeros(len(order), bool)
    new[0] = True
    for values in columns:
        sorted_ = values[order]
        new[1:] |= sorted_[1:] != sorted_[:-1]
    return order[new]


def crowded(band: Ids, node: Ids, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of records whose band at least one other node has too, ordered by band, then node.

    Of records with the same band and node the one of smallest order is taken.
    """
    left, _ = _shared_bands(band)
    left = left[np.lexsort((order[left], node[left], band[left]))]
    left = left[_new_pairs(band[left], node[left])]
    _, sizes = runs(band[left])
    return left[np.repeat(sizes > 1, sizes)]


def first_of_each(band: Ids, node: Ids, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the records of smallest order of each band and node."""
    left, alone = _shared_bands(band)
    left = left[np.lexsort((order[left], node[left], band[left]))]
    return np.concatenate([alone, left[_new_pairs(band[left], node[left])]])


def _shared_bands(band: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of records whose band another record has too, and of the rest, which are most."""
    by_band = np.argsort(band)
    sorted_ = band[by_band]
    same = sorted_[1:] == sorted_[:-1]
    shared = np.zeros(len(by_band), bool)
    shared[1:] |= same
    shared[:-1] |= same
    return by_band[shared], by_band[~shared]


def _new_pairs(band: Ids, node: Ids) -> NDArray[np.bool_]:
    new = np.ones(len(band), bool)
    new[1:] = (band[1:] != band[:-1]) | (node[1:] != node[:-1])
    return new


def runs(values: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return start and length of each run of equal values."""
    starts = (
        np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.empty(0, np.int64)
    )
    return starts, np.diff(np.append(starts, len(values)))


def candidate_pairs(band: Ids, all_pairs: int = ALL_PAIRS) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places (i < j) of the pairs to look at, of n records that are ordered by band, then node.

    Of a band with g nodes these are all g(g-1)/2 pairs up to `all_pairs` nodes, and at most g(1 + NEIGHBOURS) beyond.
    """
    starts, sizes = runs(band)
    size, start = np.repeat(sizes, sizes), np.repeat(starts, sizes)
    place = np.arange(len(band))
    stop = np.where(size <= all_pairs, start + size, np.minimum(start + size, place + NEIGHBOURS + 1))
    left, right = [], []
    here = place
    for step in range(1, all_pairs):
        here = here[here + step < stop[here]]
        if not len(here):
            break
        left.append(here)
        right.append(here + step)
    far = (size > all_pairs) & (place > start + NEIGHBOURS)
    left.append(start[far])
    right.append(place[far])
    return np.concatenate(left), np.concatenate(right)


def forest(left: Ids, right: Ids) -> tuple[Ids, Ids]:
    """Return each node of some edges that is not the smallest of its component, and that smallest node.

    Labels fall to the smallest neighbour's, and jump to their label's label, until none moves.
    """
    nodes, flat = np.unique(np.concatenate([left, right]), return_inverse=True)
    a, b = flat[: len(left)], flat[len(left) :]
    label = np.arange(len(nodes))
    while True:
        least = np.minimum(label[a], label[b])
        before = label.copy()
        np.minimum.at(label, label[a], least)
        np.minimum.at(label, label[b], least)
        while not np.array_equal(label, jumped := label[label]):
            label = jumped
        if np.array_equal(before, label):
            break
    moved = label != np.arange(len(nodes))
    return nodes[moved], nodes[label[moved]]


def large_star(center: Ids, other: Ids) -> tuple[Ids, Ids]:
    """Link every neighbour larger than its center to the smallest of the center and its neighbours.

    Edges come in both directions. Source: Kiveris et al., Connected Components in MapReduce and Beyond (2014),
    section 3.
    """
    center, other = _unique_edges(center, other)
    smallest = np.minimum(_least_of_runs(center, other), center)
    larger = other > center
    return other[larger], smallest[larger]


def small_star(center: Ids, other: Ids) -> tuple[Ids, Ids]:
    """Link a center and its smaller neighbours to the smallest of them; edges come from the larger to the smaller."""
    center, other = _unique_edges(center, other)
    smallest = _least_of_runs(center, other)
    starts, _ = runs(center)
    rest = other != smallest
    return np.concatenate([center[starts], other[rest]]), np.concatenate([smallest[starts], smallest[rest]])


def _unique_edges(center: Ids, other: Ids) -> tuple[Ids, Ids]:
    kept = distinct(center, other)
    return center[kept], other[kept]


def _least_of_runs(center: Ids, other: Ids) -> Ids:
    """Return, for each of n edges ordered by (center, other), the first `other` of its center."""
    starts, sizes = runs(center)
    return np.repeat(other[starts], sizes)
