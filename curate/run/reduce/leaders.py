"""Leader linkage: a row goes only if it is like a row that stays, never because of a chain of likenesses.

Rows are taken by rank, and each is kept unless a kept one is like it: leader clustering (Hartigan, Clustering
Algorithms, 1975, chapter 3), the lexicographically first maximal independent set of the graph of pairs.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.run.reduce.ranks import BY_RANK


def leaders(nominees: pa.Table, bonds: pa.Table) -> NDArray[np.int64]:
    """Return int64[n]: for each of n nominees, one a node, the place of the nominee that stands for it."""
    order = np.lexsort([nominees[name].to_numpy() for name in BY_RANK[::-1]])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    node = nominees["node"].to_numpy()
    by_node = np.argsort(node)
    ends = [by_node[np.searchsorted(node, bonds[c].to_numpy(), sorter=by_node)] for c in ("center", "other")]
    pairs = np.stack([rank[end] for end in ends]) if len(by_node) else np.empty((2, 0), np.int64)
    # Each bond once, with the row of lower rank: bonds of a row come together, best neighbour first.
    low, high = pairs.max(axis=0), pairs.min(axis=0)
    sorted_ = np.lexsort((high, low))
    stands = list(range(len(order)))
    for row, better in zip(low[sorted_].tolist(), high[sorted_].tolist(), strict=True):
        if stands[row] == row and stands[better] == better:
            stands[row] = better
    return order[np.array(stands, np.int64)[rank]]
