"""How far a mean can be trusted: a percentile bootstrap (Efron 1979) over the samples."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.errors import TrainError

_SAMPLES_AT_ONCE = 1_000_000  # 8 MB of drawn places


class Interval(NamedTuple):
    """A mean and the bounds that 95 % of resampled means lie between."""

    mean: float
    low: float
    high: float


def interval(figures: Sequence[float] | NDArray[np.float64], seed: int = 0, draws: int = 2000) -> Interval:
    """Return the mean of per-sample figures with its 95 % interval; the same seed gives the same bounds.

    For figures that are means over samples: accuracy, CIDEr, ROUGE-L, recall; not for the BLEU of a corpus.

    Raises:
        TrainError: there are no figures, or one is not finite.
    """
    values = np.asarray(figures, float)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise TrainError(f"an interval needs finite figures in a row, one or more, not {values.shape}; score samples")
    generator = np.random.default_rng(seed)
    at_once = max(1, _SAMPLES_AT_ONCE // values.size)
    parts = [_means(values, generator, min(at_once, draws - done)) for done in range(0, draws, at_once)]
    low, high = np.percentile(np.concatenate(parts), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


def _means(values: NDArray[np.float64], generator: np.random.Generator, draws: int) -> NDArray[np.float64]:
    places = generator.integers(values.size, size=(draws, values.size))
    return np.asarray(values[places].mean(axis=1))
