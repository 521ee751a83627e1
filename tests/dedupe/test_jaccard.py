"""Similarity of sets, against Python's own sets."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_minhash import SETS, hashed

from curate.dedupe import jaccard
from curate.dedupe.jaccard import packed, similar_sets

SMALL = st.sets(st.integers(0, 12), min_size=1, max_size=12)


def lists(sets):
    return pa.array([sorted(s) for s in sets], pa.large_list(pa.uint32()))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(SMALL, SMALL), max_size=12), st.sampled_from([0.01, 0.2, 0.5, 0.8, 1.0]), st.booleans())
def test_against_sets(pairs, at_least, crowded):
    expected = [len(a & b) / len(a | b) >= at_least for a, b in pairs]
    left, right = (lists(side) for side in ([a for a, _ in pairs], [b for _, b in pairs]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jaccard, "_AT_ONCE", 9 if crowded else 1 << 21)
        assert similar_sets(left, right, at_least).tolist() == expected


def test_a_slice_of_payloads_is_read_at_its_place():
    left, right = lists([{1}, {2, 3}, {4}]).slice(1), lists([{9}, {2, 3}, {5}]).slice(1)
    assert similar_sets(left, right, 0.9).tolist() == [True, False]


def test_the_threshold_itself_is_enough():
    assert similar_sets(lists([{1, 2, 3, 4, 5}]), lists([{1, 2, 3, 4}]), 0.8).tolist() == [True]
    assert similar_sets(lists([set(range(10))]), lists([set(range(7))]), 0.7).tolist() == [True]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(SETS)
def test_payload_holds_upper_halves_once(sets):
    apart = np.array([not s for s in sets], bool)
    found = packed(hashed(sets), apart)
    assert found.type == pa.large_list(pa.uint32())
    assert found.to_pylist() == [sorted({v >> 32 for v in s}) if s else None for s in sets]
