"""What scores of good and bad documents say of a classifier: figures of documents that it never saw."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
PASSES = (0.5, 0.25, 0.1, 0.05, 0.01)
"""Shares of the bad documents that a threshold is told for; DCLM kept the best tenth of its pool."""


def auc(good: Scores, bad: Scores) -> float:
    """Return the probability that a good document scores above a bad one, ties counted half (Mann and Whitney)."""
    ordered = np.sort(bad)
    below = np.searchsorted(ordered, good, "left") + np.searchsorted(ordered, good, "right")
    return float(below.sum() / (2 * len(good) * len(bad)))


def at(good: Scores, bad: Scores, threshold: float) -> dict[str, float | None]:
    """Return precision and recall of the good, and the share of the bad that passes, at or above `threshold`."""
    kept, passed = int((good >= threshold).sum()), int((bad >= threshold).sum())
    precision = kept / (kept + passed) if kept + passed else None
    return {"precision": precision, "recall": kept / len(good), "bad_kept": passed / len(bad)}


def figures(good: Scores, bad: Scores) -> dict[str, Any]:
    """Return all that is told of held-out documents, JSON-ready.

    Precision is at as many good as bad documents as were held out; in a pool with fewer good ones it is lower.
    """
    quantiles = {
        side: {f"{q:g}": float(np.quantile(found, q)) for q in QUANTILES}
        for side, found in (("good", good), ("bad", bad))
    }
    passing = [float(np.quantile(bad, 1 - share, method="higher")) for share in PASSES]
    return {
        "good": len(good),
        "bad": len(bad),
        "auc": auc(good, bad),
        "at_half": at(good, bad, 0.5),
        "quantiles": quantiles,
        "thresholds": [{"at_least": threshold, **at(good, bad, threshold)} for threshold in passing],
    }
