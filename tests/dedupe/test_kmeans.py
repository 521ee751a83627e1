"""Cells: what k-means promises, and that neither order, nor blocks, nor threads move a row."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from curate.dedupe import kmeans
from curate.dedupe.directions import rounded


def blobs(rows=600, width=24, centres=6, spread=0.4, seed=0):
    random = np.random.default_rng(seed)
    middle = random.normal(size=(centres, width))
    member = random.integers(0, centres, rows)
    return rounded(middle[member] + spread * random.normal(size=(rows, width)))[0], member


def test_nearest_is_the_largest_dot_product_and_the_first_of_equals():
    vectors, _ = blobs(200)
    centres = np.concatenate([vectors[:5], vectors[:5]])
    cell, fit = kmeans.nearest(centres, vectors)
    dots = vectors.astype(np.int64) @ centres.astype(np.int64).T
    assert cell.tolist() == [row.index(max(row)) for row in dots.tolist()]
    assert fit.tolist() == dots.max(axis=1).tolist()
    assert cell.max() < 5


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_cells_do_not_depend_on_blocks(monkeypatch, rows):
    vectors, _ = blobs()
    expected = kmeans.nearest(vectors[::50], vectors)[0], kmeans.learn(vectors, 7, 5)
    monkeypatch.setattr(kmeans, "_ROWS", rows)
    assert np.array_equal(kmeans.nearest(vectors[::50], vectors)[0], expected[0])
    assert np.array_equal(kmeans.learn(vectors, 7, 5), expected[1])


def test_centres_do_not_depend_on_the_order_of_rows():
    vectors, _ = blobs()
    order = np.random.default_rng(1).permutation(len(vectors))
    assert np.array_equal(kmeans.learn(vectors[order], 9, 10), kmeans.learn(vectors, 9, 10))


def test_centres_are_the_directions_of_the_sums_of_their_rows():
    vectors, _ = blobs()
    centres = kmeans.learn(vectors, 6, 100)
    cell, _ = kmeans.nearest(centres, vectors)
    sums = np.stack([vectors[cell == c].astype(float).sum(axis=0) for c in range(6)])
    np.testing.assert_allclose(centres, 4000 * sums / np.linalg.norm(sums, axis=1, keepdims=True), atol=0.5001)


def test_each_round_fits_no_worse():
    vectors, _ = blobs(spread=1.5)
    fits = [float(kmeans.nearest(kmeans.learn(vectors, 12, n), vectors)[1].astype(float).sum()) for n in range(12)]
    assert all(later >= earlier - 1e-4 * earlier for earlier, later in pairwise(fits))
    assert fits[-1] > fits[0]


def test_rows_of_far_blobs_are_not_mixed():
    vectors, member = blobs(spread=0.1)
    cell, _ = kmeans.nearest(kmeans.learn(vectors, 12, 20), vectors)
    assert all(len(set(member[cell == c])) == 1 for c in set(cell))


def test_a_cluster_without_rows_takes_the_row_that_fits_worst():
    cell = np.array([0, 0, 0, 2])
    refilled = kmeans._refilled(cell, np.array([9, 5, 7, 1], np.float32), 4)
    assert sorted(refilled.tolist()) == [0, 1, 2, 3]
    assert refilled[3] == 2  # it fits worst of all, but is the only one of its cluster
    assert refilled[0] == 0


def test_many_equal_rows_and_opposite_ones():
    vectors = rounded(np.concatenate([np.ones((50, 4)), -np.ones((50, 4))]))[0]
    centres = kmeans.learn(vectors, 5, 10)
    assert centres.shape == (5, 4)
    cell, _ = kmeans.nearest(centres, vectors)
    assert len(set(cell[:50])) == len(set(cell[50:])) == 1
    assert cell[0] != cell[99]


CODE = """
import hashlib, numpy as np
from curate.dedupe import kmeans
from curate.dedupe.directions import rounded
vectors = rounded(np.random.default_rng(0).normal(size=(3000, 384)))[0]
centres = kmeans.learn(vectors, 30, 3)
print(hashlib.sha256(centres.tobytes() + kmeans.nearest(centres, vectors)[0].tobytes()).hexdigest())
"""


def test_cells_do_not_depend_on_threads_nor_on_the_kind_of_processor():
    said = set()
    for settings in ({"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_NUM_THREADS": "2"}, {"OPENBLAS_CORETYPE": "Nehalem"}):
        environment = {"PATH": "", "PYTHONPATH": ":".join(sys.path), **settings}
        said.add(subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, check=True).stdout)
    assert len(said) == 1
