"""As few of many pairs as join the same rows."""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


def forest(left: Places, right: Places, rows: int) -> Places:
    """Return the places of pairs that hang the same rows together as all pairs (left, right) do, fewer than `rows`."""
    return grown(left, right, rows)[0]


def grown(left: Places, right: Places, rows: int) -> tuple[Places, Places]:
    """Return the places of such pairs, and int64[rows], which is equal for rows that hang together.

    Borůvka (1926): each tree takes the first pair that leads out of it, until none does. Pairs are ordered by place, so
    that no two trees take pairs that close a circle.
    """
    tree, kept = np.arange(rows), [np.zeros(0, np.int64)]
    open_ = np.arange(len(left))
    while True:
        ends = tree[left[open_]], tree[right[open_]]
        apart = ends[0] != ends[1]
        open_ = open_[apart]
        if not len(open_):
            return np.sort(np.concatenate(kept)), tree
        taken, tree_of = _joined(ends[0][apart], ends[1][apart], rows)
        kept.append(open_[taken])
        tree = tree_of[tree]


def _joined(left: Places, right: Places, rows: int) -> tuple[Places, Places]:
    """Let each tree take its first pair; return which were taken, and int64[rows], the tree that each one is now."""
    none = len(left)
    first = np.full(rows, none)
    order = np.arange(none)[::-1]
    # Where a place is assigned more than once the last stays: in reversed order the first pair.
    for ends in (left, right):
        own = np.full(rows, none)
        own[ends[::-1]] = order
        first = np.minimum(first, own)
    taking = np.flatnonzero(first < none)
    parent = np.arange(rows)
    parent[taking] = left[first[taking]] + right[first[taking]] - taking
    mutual = (parent[parent] == np.arange(rows)) & (np.arange(rows) < parent)
    parent[mutual] = np.flatnonzero(mutual)
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    return np.unique(first[taking]), parent
