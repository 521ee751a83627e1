"""Labelled rows drawn from distributions that are known, so that every risk of a threshold is known too."""

import numpy as np
from scipy.stats import beta

from curate.audit.calibrate import scored_of

BAD, GOOD = (5, 2), (2, 6)
"""Beta distributions of the scores of bad and of good rows."""


def drawn(seed, rows, bad_share=0.3, shift=0.0):
    """Scores and labels of one labelled set; `shift` makes good rows of a harder group score higher."""
    random = np.random.default_rng(seed)
    bad = random.random(rows) < bad_share
    good = np.minimum(random.beta(*GOOD, rows) + shift, 1)
    return np.where(bad, random.beta(*BAD, rows), good), bad


def scored(seed, rows, bad_share=0.3):
    return scored_of(*drawn(seed, rows, bad_share), None)[0]


def truth(risk, threshold, bad_share=0.3, shift=0.0):
    """The risk of a threshold on all rows there will ever be."""
    bad, good = beta.cdf(threshold, *BAD), beta.cdf(threshold - shift, *GOOD)
    kept = bad_share * bad + (1 - bad_share) * good
    return {"missed": bad, "false_positive_rate": 1 - good, "bad_kept": bad_share * bad / kept}[risk]
