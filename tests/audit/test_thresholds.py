"""How thresholds are written down, and which are tried."""

import math

import numpy as np
import pytest

from curate.audit.thresholds import Allowed, held_for_testing, meet, pick, shortest


@pytest.mark.parametrize(("low", "high", "written"), [
    (0.83217, 0.8355, 0.833), (0.8321, 0.8329, 0.8321), (0.83211, 0.8329, 0.8322),
    (0.8, 0.95, 0.8), (0.9999999, 1.5, 1.0), (-0.4, -0.31, -0.4),
    (-math.inf, 0.05, 0.049), (-math.inf, 0.055, 0.05), (-math.inf, math.inf, 0.0), (0.1, math.nextafter(0.1, 1), 0.1),
])  # fmt: skip
def test_a_threshold_has_few_digits_and_stays_inside(low, high, written):
    assert shortest(low, high) == pytest.approx(written, abs=1e-12)
    assert low <= shortest(low, high) < high


def test_counts_are_whole():
    assert shortest(12, 14, whole=True) == 12
    assert pick(Allowed(high=14.0), np.array([3.0, 12.0, 14.0]), most=True) == 12


def test_random_intervals_are_never_left():
    random = np.random.default_rng(0)
    for low, width in zip(random.normal(size=2000), 10.0 ** random.uniform(-12, 0, 2000), strict=True):
        assert low <= shortest(low, low + width) < low + width


def test_what_several_promises_allow():
    assert meet([Allowed(low=0.2), Allowed(high=0.7)]) == Allowed(0.2, 0.7)
    assert meet([Allowed(low=0.2), Allowed(tried=(0.1, 0.3, 0.5)), Allowed(high=0.5)]).tried == (0.3,)
    assert pick(Allowed(0.5, 0.4), np.array([0.1]), most=True) is None
    assert pick(Allowed(tried=()), np.array([0.1]), most=True) is None
    observed = np.array([0.1, 0.5, 0.9])
    assert pick(Allowed(0.1, 0.9), observed, most=True) == 0.5
    assert pick(Allowed(0.1, 0.9), observed, most=False) == 0.1


def test_four_fifths_test_and_the_seed_says_which():
    chosen = held_for_testing(1000, 7)
    assert chosen.sum() == 800
    assert np.array_equal(chosen, held_for_testing(1000, 7))
    assert not np.array_equal(chosen, held_for_testing(1000, 8))
