"""Multi-index hashing against all pairs by brute force."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe import hamming
from curate.dedupe.hamming import Part, choose, cost, pairs
from curate.dedupe.perceptual import distances
from curate.dedupe.spanning import Nodes, Spanning

EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=60)
SPLITS = [(1, 0), (1, 22), (3, 20), (5, 14), (16, 16), (13, 19), (12, 21), (14, 18), (32, 8), (64, 4)]


def drawn(n, seed, spread=0.12):
    """N hashes: three in ten near another one, some equal to another one."""
    draws = np.random.default_rng(seed)
    hashes = draws.integers(0, 256, (n, 32), np.uint8)
    copies = np.arange(n * 3 // 10)
    hashes[copies] = hashes[draws.integers(0, n, len(copies))]
    turned = draws.random((len(copies), 256)) < draws.random((len(copies), 1)) * spread
    hashes[copies] ^= np.packbits(turned, axis=1)
    return hashes


def listed(chunks):
    found = [pair for i, j in chunks for pair in zip(i.tolist(), j.tolist(), strict=True)]
    assert len(found) == len(set(found)), "a pair came twice"
    return set(found)


def brute(left, right, radius):
    return set(map(tuple, np.argwhere(distances(left, right) <= radius).tolist()))


def brute_among(hashes, radius):
    return {(i, j) for i, j in brute(hashes, hashes, radius) if i < j}


@EXAMPLES
@given(
    n=st.integers(0, 120),
    m=st.integers(0, 120),
    seed=st.integers(0, 2**32 - 1),
    radius=st.sampled_from((0, 1, 2, 7, 15, 16, 17, 31, 48, 64)),
)
def test_all_pairs_are_found_once(n, m, seed, radius):
    left, right = drawn(n, seed), np.concatenate([drawn(m, seed + 1), drawn(n, seed)[: n // 2]])
    assert listed(pairs(left, right, radius)) == brute(left, right, radius)
    assert listed(pairs(left, None, radius)) == brute_among(left, radius)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("radius", [0, 1, 12, 31, 40])
def test_however_hashes_are_cut_none_is_missed(monkeypatch, split, radius):
    parts = hamming._split(*split, radius)
    if sum(part.patterns() for part in parts) > 5000:
        pytest.skip("millions of patterns: nothing would choose it")
    monkeypatch.setattr(hamming, "choose", lambda *_: parts)
    left, right = drawn(300, 1), drawn(300, 2)
    right[:60] = drawn(300, 1)[:60]
    assert listed(pairs(left, right, radius)) == brute(left, right, radius)
    assert listed(pairs(left, None, radius)) == brute_among(left, radius)


@pytest.mark.parametrize("radius", [8, 31])
def test_thousands_are_looked_up_and_not_compared_with_all(radius):
    hashes = drawn(3000, 3)
    assert choose(3000, 1500, radius)[0].width > 8
    assert listed(pairs(hashes, None, radius)) == brute_among(hashes, radius)


@pytest.mark.parametrize("radius", [0, 31, 64])
def test_every_pair_just_within_and_just_beyond(radius):
    """Exactly as many bits turned as may differ, wherever they stand, and one more."""
    draws = np.random.default_rng(4)
    left = draws.integers(0, 256, (200, 32), np.uint8)
    for extra, found in ((0, 200), (1, 0)):
        turned = np.zeros((200, 256), np.uint8)
        for row in turned:
            row[draws.choice(256, radius + extra, replace=False)] = 1
        right = left ^ np.packbits(turned, axis=1)
        assert len(listed(pairs(left, right, radius))) == found


@pytest.mark.parametrize(("start", "width"), [(0, 16), (60, 8), (190, 20), (234, 22), (0, 0)])
def test_substrings(start, width):
    bits = np.random.default_rng(5).integers(0, 2, (50, 256))
    words = (bits.reshape(50, 4, 64).astype(np.uint64) << np.arange(64, dtype=np.uint64)).sum(axis=2, dtype=np.uint64)
    expected = (bits[:, start : start + width] << np.arange(width)).sum(axis=1)
    assert Part(start, width, 0).of(words).tolist() == expected.tolist()


@pytest.mark.parametrize("radius", range(0, 65, 3))
@pytest.mark.parametrize("n", [1, 10_000, 10_000_000])
def test_what_is_chosen_finds_every_pair_and_costs_least(n, radius):
    """By the pigeonhole principle: bits that all parts allow to differ, and one each more, are more than the radius."""
    parts = choose(n, n, radius)
    assert sum(part.radius + 1 for part in parts) > radius or parts == (Part(0, 0, 0),)
    places = [bit for part in parts for bit in range(part.start, part.start + part.width)]
    assert len(places) == len(set(places))
    assert all(0 <= bit < 256 for bit in places)
    assert cost(parts, n, n) <= min(cost(hamming._split(m, w, radius), n, n) for m, w in SPLITS)


def joined(hashes, radius):
    spanning = Spanning(len(hashes))
    itself = np.arange(len(hashes))
    met = 0
    for i, j in pairs(hashes, None, radius, Nodes(spanning, itself, itself)):
        spanning.add(i, j)
        met += len(i)
    return spanning, met


def test_joined_hashes_are_not_looked_for_again():
    hashes = drawn(2000, 6, spread=0.3)
    hashes[800:1600] = hashes[0]
    spanning, met = joined(hashes, 31)
    whole = Spanning(len(hashes))
    expected = np.array(sorted(brute_among(hashes, 31))).T
    whole.add(*expected)
    left, right = spanning.edges()
    assert (distances(hashes, hashes)[left, right] <= 31).all()
    assert len(left) == len(whole.edges()[0])
    assert (same(spanning.labels) == same(whole.labels)).all()
    assert met < expected.shape[1] / 20


def same(labels):
    """Name components by their first member."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse]


@pytest.mark.parametrize("turned", [0.0, 0.04])
def test_tens_of_thousands_that_are_all_alike_take_little_memory(turned):
    """20,000 hashes have 200 million pairs: 3 GB, were they listed."""
    draws = np.random.default_rng(7)
    hashes = np.packbits(draws.random((20_000, 256)) < turned, axis=1)
    tracemalloc.start()
    spanning, met = joined(hashes, 31)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(spanning.edges()[0]) == 19_999
    assert met < 20 * 20_000
    assert peak < 60e6
