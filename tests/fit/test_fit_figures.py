"""The figures against counting by hand."""

import numpy as np
import pytest

from curate.fit.figures import at, auc, figures


def test_auc_is_the_share_of_pairs_in_order():
    draws = np.random.default_rng(0)
    good, bad = draws.integers(0, 20, 50) / 20, draws.integers(0, 15, 70) / 20
    pairs = np.mean([(g > b) + (g == b) / 2 for g in good for b in bad])
    assert auc(good, bad) == pytest.approx(pairs)
    assert auc(np.ones(3), np.ones(4)) == 0.5


def test_precision_recall_and_what_passes():
    good, bad = np.array([0.9, 0.8, 0.3]), np.array([0.8, 0.1, 0.1, 0.2])
    assert at(good, bad, 0.8) == {"precision": 2 / 3, "recall": 2 / 3, "bad_kept": 0.25}
    assert at(good, bad, 0.95) == {"precision": None, "recall": 0, "bad_kept": 0}


def test_a_threshold_lets_pass_the_share_that_it_is_told_for():
    bad = np.arange(1000) / 1000
    told = figures(bad + 0.5, bad)
    assert [line["bad_kept"] for line in told["thresholds"]] == pytest.approx([0.5, 0.25, 0.1, 0.05, 0.01], abs=0.002)
    assert told["quantiles"]["bad"]["0.5"] == pytest.approx(0.4995)
    assert (told["good"], told["bad"]) == (1000, 1000)
