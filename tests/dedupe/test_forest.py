"""Fewer pairs, the same rows together: held to a plain union-find."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.forest import forest

ROWS = 30


def joined(pairs, rows=ROWS):
    """The smallest row that each hangs together with."""
    root = list(range(rows))

    def find(row):
        while root[row] != row:
            row = root[row]
        return row

    for a, b in pairs:
        low, high = sorted((find(a), find(b)))
        root[high] = low
    return [find(row) for row in range(rows)]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1)), max_size=120))
def test_joins_the_same_rows_with_one_pair_less_than_rows(pairs):
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    kept = forest(left, right, ROWS)
    assert joined([pairs[k] for k in kept]) == joined(pairs)
    assert len(kept) == ROWS - len(set(joined(pairs)))
    assert sorted(set(kept.tolist())) == kept.tolist()


def test_a_long_chain_in_any_order():
    order = np.random.default_rng(0).permutation(50_000)
    left, right = order[:-1], order[1:]
    assert forest(left, right, len(order)).tolist() == list(range(len(order) - 1))


def test_every_row_keeps_a_pair():
    """A search against other rows must not lose that a row has a duplicate there."""
    random = np.random.default_rng(0)
    left, right = random.integers(0, 100, 5000), random.integers(100, 200, 5000)
    kept = forest(left, right, 200)
    assert set(left[kept]) == set(left)
    assert set(right[kept]) == set(right)
