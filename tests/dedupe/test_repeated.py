"""Rows that a source lists twice: the first of each key stays, and the others name it."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.repeated import RepeatedRows


def verdicts(keys):
    """Judge keys as the engine hands them over: sorted by key, then by their order."""
    rows = sorted(zip(keys, range(len(keys)), strict=True))
    table = pa.table(
        {"key": pa.array([k for k, _ in rows], pa.string()), "order": pa.array([o for _, o in rows], pa.int64())}
    )
    found = RepeatedRows().open()(table)
    by_order = sorted(zip((o for _, o in rows), found.dropped.to_pylist(), found.survivor.to_pylist(), strict=True))
    return [(dropped, survivor) for _, dropped, survivor in by_order]


@pytest.mark.parametrize(
    ("keys", "dropped"),
    [
        ([], []),
        (["a"], [None]),
        (["b", "a", "b", "b"], [None, None, "repeated_row", "repeated_row"]),
    ],
)
def test_the_first_of_each_key_stays(keys, dropped):
    assert [d for d, _ in verdicts(keys)] == dropped


@settings(derandomize=True, deadline=None)
@given(st.lists(st.sampled_from("abcd")))
def test_against_a_set(keys):
    seen = set()
    expected = [(None if not (k in seen or seen.add(k)) else "repeated_row", k) for k in keys]
    assert verdicts(keys) == expected
