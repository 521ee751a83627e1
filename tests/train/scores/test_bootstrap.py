"""Intervals: seeded, around the mean, as wide as theory says."""

import math

import numpy as np
import pytest

from curate.errors import TrainError
from curate.train.scores import bootstrap
from curate.train.scores.bootstrap import interval


def test_the_interval_is_as_wide_as_the_normal_law_says():
    figures = np.random.default_rng(1).normal(3, 2, 400)
    found = interval(figures)
    half = 1.96 * figures.std() / math.sqrt(400)
    assert found.mean == pytest.approx(figures.mean())
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half), abs=0.1 * half)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    generator = np.random.default_rng(0)
    found = [interval(generator.random(200) < 0.3, draws=300) for _ in range(200)]
    assert 0.9 <= np.mean([low <= 0.3 <= high for _, low, high in found]) <= 0.99


def test_a_seed_gives_the_same_bounds_whatever_is_drawn_at_once(monkeypatch):
    figures = np.random.default_rng(1).random(50)
    whole = interval(figures, seed=5)
    monkeypatch.setattr(bootstrap, "_SAMPLES_AT_ONCE", 130)
    assert interval(figures, seed=5) == whole
    assert interval(figures, seed=6) != whole


def test_one_figure_is_its_own_interval():
    assert interval([0.5]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("figures", [[], [math.nan], [[1.0, 2.0]]])
def test_figures_that_have_no_mean_are_refused(figures):
    with pytest.raises(TrainError, match="finite"):
        interval(figures)
