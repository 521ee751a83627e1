"""Spherical k-means over directions, the same for any order of the rows, any cut into blocks and any BLAS.

Source: Dhillon & Modha (2001), Concept Decompositions for Large Sparse Text Data Using Clustering, with Lloyd's
iteration from drawn rows, as faiss does for SemDeDup. Sums and products are of whole numbers and exact. A cluster that
loses all its rows takes the row that fits its own worst.
"""

import numpy as np
from numpy.typing import NDArray

from curate.dedupe.directions import Directions, rounded

Cell = NDArray[np.int64]
_ROWS = 8_192
_TILE = 1 << 22
"""Cosines at a time, 16 MiB."""


def learn(vectors: Directions, clusters: int, rounds: int, seed: int = 0) -> Directions:
    """Return int16[clusters, width], the centres of n vectors (n at least `clusters`, and no two the same)."""
    vectors = vectors[np.argsort(np.ascontiguousarray(vectors).view(f"V{2 * vectors.shape[1]}").ravel())]
    drawn = np.random.default_rng(seed).choice(len(vectors), clusters, replace=False)
    centres, before = vectors[np.sort(drawn)], None
    for _ in range(rounds):
        cell, fit = nearest(centres, vectors)
        if before is not None and np.array_equal(cell, before):
            break
        before = _refilled(cell, fit, clusters)
        centres = _means(vectors, before, clusters)
    return centres


def nearest(centres: Directions, vectors: Directions) -> tuple[Cell, NDArray[np.float32]]:
    """Return int64[n], the centre with the largest dot product, the first of equals, and that product."""
    cell, fit = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.float32)
    turned = centres.astype(np.float32).T
    step = max(1, min(_ROWS, _TILE // max(1, len(centres))))
    for start in range(0, len(vectors), step):
        dots = vectors[start : start + step].astype(np.float32) @ turned
        cell[start : start + step] = dots.argmax(axis=1)
        fit[start : start + step] = dots.max(axis=1)
    return cell, fit


def _refilled(cell: Cell, fit: NDArray[np.float32], clusters: int) -> Cell:
    """Give each empty cluster the row that fits its own the worst, of a cluster that has others."""
    sizes = np.bincount(cell, minlength=clusters)
    empty = list(np.flatnonzero(sizes == 0))
    for row in np.argsort(fit, kind="stable") if empty else ():
        if not empty:
            break
        if sizes[cell[row]] > 1:
            sizes[cell[row]] -= 1
            cell[row] = empty.pop()
    return cell


def _means(vectors: Directions, cell: Cell, clusters: int) -> Directions:
    sums = np.zeros((clusters, vectors.shape[1]), np.int64)
    order = np.argsort(cell, kind="stable")
    for start in range(0, len(order), _ROWS):
        part = order[start : start + _ROWS]
        cells, first = np.unique(cell[part], return_index=True)
        sums[cells] += np.add.reduceat(vectors[part].astype(np.int64), first, axis=0)
    return rounded(sums.astype(np.float64))[0]
