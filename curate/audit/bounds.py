"""Exact bounds on a share, from counts: Clopper-Pearson, and the binomial test it inverts.

Source: Clopper and Pearson (1934), Biometrika 26, 404-413; in the form of beta quantiles of Brown, Cai and DasGupta
(2001), Statistical Science 16, section 4.2.1. They hold for any number of rows, are never too narrow, and take rows to
be drawn independently from what is spoken of.
"""

import math

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


def upper(errors: int, trials: int, confidence: float = 0.95) -> float:
    """Return what the true share is below with `confidence`, one-sided; 1 where there were no trials."""
    from scipy.stats import beta

    if errors >= trials:
        return 1.0
    return float(beta.ppf(confidence, errors + 1, trials - errors))


def lower(errors: int, trials: int, confidence: float = 0.95) -> float:
    """Return what the true share is above with `confidence`, one-sided; 0 where there were no errors."""
    from scipy.stats import beta

    if errors <= 0:
        return 0.0
    return float(beta.ppf(1 - confidence, errors, trials - errors + 1))


def interval(errors: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two-sided interval: half of what may go wrong on each side."""
    each = (1 + confidence) / 2
    return lower(errors, trials, each), upper(errors, trials, each)


def p_values(errors: Counts, trials: Counts, at_most: float) -> npt.NDArray[np.float64]:
    """Return p-values of the hypothesis that the true share is above `at_most`: P(Bin(trials, at_most) <= errors).

    One is at or below `1 - confidence` exactly where `upper` is at or below `at_most`.
    """
    from scipy.stats import binom

    return np.asarray(binom.cdf(errors, trials, at_most), dtype=np.float64)


def needed(at_most: float, confidence: float = 0.95, errors: int = 0) -> int:
    """Return how few rows can show that a share is at most `at_most`, where `errors` of them are wrong.

    Without a wrong one it is log(1 - confidence) / log(1 - at_most): 299 rows for 1 % at 95 %.
    """
    if at_most >= 1:
        return errors
    few = max(errors, math.ceil(math.log(1 - confidence) / math.log1p(-at_most)) - 1)
    many = max(few, 1)
    while not _shows(errors, many, at_most, confidence):
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if _shows(errors, middle, at_most, confidence) else (middle, many)
    return many


def _shows(errors: int, trials: int, at_most: float, confidence: float) -> bool:
    return float(p_values(np.array([errors]), np.array([trials]), at_most)[0]) <= 1 - confidence
