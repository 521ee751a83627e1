"""Pairs above a cosine, held to a comparison of every pair in whole numbers of any size."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_forest import joined

from curate.dedupe import cosine
from curate.dedupe.cosine import pairs_above
from curate.dedupe.directions import rounded
from curate.dedupe.forest import forest
from curate.errors import InputError

SMALL = st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3).filter(any), max_size=12)


def above(left, right, bound):
    """Decide dot / sqrt(a * b) > bound without a float: both sides squared."""
    dot = sum(int(x) * int(y) for x, y in zip(left, right, strict=True))
    squares = sum(int(x) ** 2 for x in left) * sum(int(y) ** 2 for y in right)
    return dot > 0 and dot * dot > Fraction(bound) ** 2 * squares


def whole(rows):
    return np.array(rows, np.int16).reshape(-1, 3)


def spelled(pairs):
    return sorted(zip(*(side.tolist() for side in pairs), strict=True))


@pytest.fixture(params=[1024, 4, 1])
def tile(request, monkeypatch):
    monkeypatch.setattr(cosine, "_TILE", request.param)


@pytest.mark.usefixtures("tile")
@pytest.mark.parametrize("bound", [0.0, 0.5, 0.9, 1.0])
def test_agrees_with_every_pair(bound):
    @settings(derandomize=True, deadline=None, max_examples=40)
    @given(SMALL, SMALL)
    def held(left, right):
        expected = [(i, j) for i, j in product(range(len(left)), range(len(right))) if above(left[i], right[j], bound)]
        assert spelled(pairs_above(whole(left), whole(right), bound)) == expected
        expected = [(i, j) for i, j in product(range(len(left)), repeat=2) if i < j and above(left[i], left[j], bound)]
        assert spelled(pairs_above(whole(left), None, bound)) == expected

    held()


def test_a_pair_just_at_the_bound_is_not_above_it():
    pair = whole([[3, 4, 0], [4, 3, 0]])  # 24 / 25
    assert spelled(pairs_above(pair, None, 0.96)) == []
    assert spelled(pairs_above(pair, None, np.nextafter(0.96, 0))) == [(0, 1)]


def test_any_cut_into_blocks_finds_the_same(monkeypatch):
    random = np.random.default_rng(0)
    centres = random.normal(size=(40, 384))
    vectors = rounded(np.repeat(centres, 20, axis=0) + 0.3 * random.normal(size=(800, 384)))[0]
    float64 = vectors.astype(float)
    float64 /= np.linalg.norm(float64, axis=1, keepdims=True)
    bound = float(np.quantile((float64 @ float64.T)[np.triu_indices(800, 1)], 0.99))
    found = []
    for tile in (1024, 100, 7):
        monkeypatch.setattr(cosine, "_TILE", tile)
        found.append(spelled(pairs_above(vectors, None, bound)))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == pytest.approx(0.01 * 800 * 799 / 2, rel=0.01)


def test_all_rows_nearly_the_same_take_bounded_memory(monkeypatch):
    """2,000 rows make two million pairs; no more than ten thousand are held beside those of one block."""
    monkeypatch.setattr(cosine, "_TILE", 64)
    random = np.random.default_rng(0)
    vectors = rounded(1 + 0.01 * random.normal(size=(2_000, 32)))[0]
    held = []
    monkeypatch.setattr(cosine, "forest", lambda i, j, rows: held.append(len(i)) or forest(i, j, rows))
    i, j = pairs_above(vectors, None, 0.9, thin=True, most=10_000)
    assert max(held) <= 10_000 + 64 * 64
    assert len(i) <= 10_000
    assert set(joined(zip(i.tolist(), j.tolist(), strict=True), 2_000)) == {0}


def test_thinned_pairs_join_the_same_rows():
    random = np.random.default_rng(0)
    left = rounded(np.repeat(random.normal(size=(30, 16)), 20, axis=0) + 0.2 * random.normal(size=(600, 16)))[0]
    right = rounded(np.repeat(random.normal(size=(30, 16)), 5, axis=0))[0]
    right = np.concatenate([right, left[::7]])
    for other in (None, right):
        every = pairs_above(left, other, 0.8)
        few = pairs_above(left, other, 0.8, thin=True, most=1)
        shift, rows = (0, 600) if other is None else (600, 600 + len(right))
        together = [joined(zip(i.tolist(), (j + shift).tolist(), strict=True), rows) for i, j in (every, few)]
        assert together[0] == together[1]
        assert set(spelled(few)) < set(spelled(every))


def test_too_many_pairs_to_pick_leaders_from_are_an_error():
    """Leaving pairs out would make rows leaders that are like another one."""
    vectors = rounded(1 + 0.01 * np.random.default_rng(0).normal(size=(200, 32)))[0]
    assert len(pairs_above(vectors, None, 0.9, most=20_000)[0]) == 199 * 100
    with pytest.raises(InputError, match=r"more than 1600 pairs among 200 rows.*linkage: single"):
        pairs_above(vectors, None, 0.9, most=1_000)
