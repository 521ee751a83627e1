"""From what a model says of each sample to the column that is stored."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.sample import EMBEDDING
from curate.stage import Edited

Vector = npt.NDArray[np.float32]
"""float32[width], of any length."""
NO_DIRECTION = "no_direction"
"""Why a sample fails whose vector is all zeros or not finite: a model that overflows says nothing of it."""


def embedded(name: str, told: Sequence[Vector | str | None]) -> Edited:
    """Return the column of n samples: vectors scaled to length 1, or why a sample failed, or None for nothing to embed.

    A sample with nothing to embed has a null.
    """
    stored = [_unit(one) if isinstance(one, np.ndarray) else one for one in told]
    column = pa.array([None if isinstance(one, str) else one for one in stored], EMBEDDING)
    failed = pa.array([one if isinstance(one, str) else None for one in stored], pa.string())
    return Edited(columns=pa.table({name: column}), failed=failed)


def _unit(vector: Vector) -> npt.NDArray[np.float16] | str:
    length = np.linalg.norm(vector.astype(np.float64))
    if not np.isfinite(length) or length == 0:
        return NO_DIRECTION
    return (vector / length).astype(np.float16)
