"""Exact bounds against their definition, published numbers and the binomial distribution itself."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from curate.audit.bounds import interval, lower, needed, p_values, upper


@pytest.mark.parametrize(("errors", "trials"), [(0, 1), (0, 299), (1, 10), (7, 50), (49, 50), (50, 50), (3, 4000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_intervals_are_those_of_scipy(errors, trials, confidence):
    theirs = binomtest(errors, trials).proportion_ci(confidence, method="exact")
    assert interval(errors, trials, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    below = binomtest(errors, trials, alternative="less").proportion_ci(confidence, method="exact")
    assert upper(errors, trials, confidence) == pytest.approx(below.high, abs=1e-9)
    above = binomtest(errors, trials, alternative="greater").proportion_ci(confidence, method="exact")
    assert lower(errors, trials, confidence) == pytest.approx(above.low, abs=1e-9)


def test_the_rule_of_three():
    assert upper(0, 1000) == pytest.approx(3 / 1000, rel=0.01)
    assert upper(0, 0) == 1
    assert interval(0, 0) == (0, 1)


@pytest.mark.parametrize("trials", [1, 20, 137])
@pytest.mark.parametrize("share", [0.004, 0.1, 0.5, 0.93])
def test_coverage_is_at_least_what_is_said(trials, share):
    """Summed over every outcome, not drawn: how likely it is that the bound holds."""
    outcomes = np.arange(trials + 1)
    likely = binom.pmf(outcomes, trials, share)
    one_sided = np.array([share <= upper(k, trials) for k in outcomes])
    two_sided = np.array([low <= share <= high for low, high in (interval(k, trials) for k in outcomes)])
    assert likely[one_sided].sum() >= 0.95
    assert likely[two_sided].sum() >= 0.95


def test_a_bound_and_its_test_say_the_same():
    for trials in (30, 299, 1000):
        errors = np.arange(trials + 1)
        accepted = p_values(errors, np.full(len(errors), trials), 0.05) <= 0.05
        assert accepted.tolist() == [upper(int(k), trials, 0.95) <= 0.05 for k in errors]


@pytest.mark.parametrize(("at_most", "confidence", "errors", "rows"), [
    (0.01, 0.95, 0, 299), (0.05, 0.95, 0, 59), (0.001, 0.95, 0, 2995), (0.01, 0.95, 1, 473), (0.1, 0.9, 0, 22),
])  # fmt: skip
def test_rows_needed_are_the_published_ones(at_most, confidence, errors, rows):
    """The zero-failure and one-failure sample sizes of acceptance sampling's tables."""
    assert needed(at_most, confidence, errors) == rows


def test_one_row_fewer_would_not_do():
    for at_most in (0.3, 0.07, 0.011):
        for errors in (0, 1, 5, 40):
            rows = needed(at_most, 0.95, errors)
            assert upper(errors, rows) <= at_most < upper(errors, rows - 1)
