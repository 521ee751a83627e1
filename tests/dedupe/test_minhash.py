"""Signatures against plain integers, their estimates against the similarity, the curve against chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_shingles import mixed

from curate.dedupe import minhash
from curate.dedupe.minhash import accepted, agreement, band_hashes, match_curve, signatures
from curate.dedupe.shingles import Hashed

SETS = st.lists(st.sets(st.integers(0, 2**64 - 1), max_size=40), max_size=8)


def hashed(sets):
    values = [v for members in sets for v in sorted(members)]
    offsets = np.cumsum([0, *map(len, sets)])
    return Hashed(np.array(values, np.uint64), offsets.astype(np.int64))


def plain(members, permutations):
    """The least of each order, one member after another."""
    signed = []
    for i in range(permutations):
        drawn = mixed((i + 1) * 0x9E3779B97F4A7C15 % 2**64)
        a, b = (drawn >> 32) | 1, drawn % 2**32
        halves = [v % 2**32 if i % 2 == 0 else v >> 32 for v in members]
        signed.append(min([(a * h + b) % 2**32 for h in halves], default=2**32 - 1))
    return signed


def pairs_of(similarity, size, count, seed=0):
    """Sets of random members; both of a pair have `size` together, and share as many as gives that similarity."""
    draw = np.random.default_rng(seed)
    shared = round(size * similarity)
    alone = (size - shared) // 2
    members = draw.integers(0, 2**64, (count, size), dtype=np.uint64)
    offsets = np.arange(count + 1) * (shared + alone)
    left, right = members[:, : shared + alone], np.delete(members, np.s_[shared : shared + alone], axis=1)
    return Hashed(left.ravel(), offsets), Hashed(right[:, : shared + alone].ravel(), offsets)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(SETS, st.sampled_from([1, 2, 7]), st.sampled_from([1, 3, 1 << 15]))
def test_against_plain_integers(sets, permutations, at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minhash, "_AT_ONCE", at_once)
        assert signatures(hashed(sets), permutations).tolist() == [plain(s, permutations) for s in sets]


@pytest.mark.parametrize("size", [10, 400, 10_000])
@pytest.mark.parametrize("similarity", [0.2, 0.8])
def test_the_estimate_is_unbiased_and_as_exact_as_theory_says(size, similarity):
    """Mean within three of its own deviations; deviation of one sqrt(J (1 - J) / permutations), within 15 %."""
    count = 400 if size < 10_000 else 20
    left, right = (signatures(sets, 112) for sets in pairs_of(similarity, size, count))
    estimates = agreement(left, right)
    deviation = np.sqrt(similarity * (1 - similarity) / 112)
    assert abs(estimates.mean() - similarity) < 3 * deviation / np.sqrt(count)
    assert abs(estimates.std() / deviation - 1) < (0.15 if count > 100 else 0.5)


@pytest.mark.parametrize("size", [10, 50, 400])
@pytest.mark.parametrize(("bands", "rows"), [(16, 7), (14, 8), (20, 5)])
def test_pairs_meet_as_often_as_the_curve_says(size, bands, rows):
    for similarity in (0.6, 0.8):
        left, right = (band_hashes(signatures(s, bands * rows), bands) for s in pairs_of(similarity, size, 1500, 3))
        met = (left == right).any(axis=1).mean()
        expected = match_curve(np.array([similarity]), bands, rows)[0]
        assert abs(met - expected) < 4 * np.sqrt(expected * (1 - expected) / 1500) + 0.003


def test_bands_are_equal_where_their_rows_are_and_nowhere_else():
    signed = np.arange(24, dtype=np.uint32).reshape(2, 12)
    signed[1, :4] = signed[0, :4]
    hashes = band_hashes(np.tile(signed, (1, 2)), 6)
    assert (hashes[0] == hashes[1]).tolist() == [True, False, False, True, False, False]
    assert len(np.unique(hashes)) == 10  # the number of a band is part of its hash


def test_one_shingle_texts_do_not_meet_by_half_a_hash():
    """Two sets of one member that agree in 32 of 64 bits share no band of two rows."""
    for low, high in ((1, 0), (0, 1 << 32)):
        one, other = (band_hashes(signatures(hashed([{v}]), 12), 6) for v in (77, 77 + low + high))
        assert not (one == other).any()


def test_chance_of_acceptance_against_drawing():
    draw = np.random.default_rng(5)
    equal = draw.random((200_000, 6, 3)) < 0.7
    found = equal.all(axis=2).any(axis=1) & (equal.sum(axis=(1, 2)) >= 13)
    assert abs(accepted(0.7, 6, 3, 13) - found.mean()) < 0.005
    assert accepted(1.0, 6, 3, 18) == pytest.approx(1)
    assert accepted(0.7, 6, 3, 0) == pytest.approx(match_curve(np.array([0.7]), 6, 3)[0])


def test_golden_signature():
    """Stored signatures of one machine are compared with another's: these numbers may never change."""
    signed = signatures(hashed([{1, 2**40, 2**63}, set()]), 4)
    assert signed.tolist() == GOLDEN
    assert [f"{h:016x}" for h in band_hashes(signed, 2)[0].tolist()] == GOLDEN_BANDS


GOLDEN = [[1564374504, 441962740, 2148091215, 1917616620], [4294967295, 4294967295, 4294967295, 4294967295]]
GOLDEN_BANDS = ["fe2af30210379fdb", "524f7fc171f399ec"]
