"""Embeddings as whole numbers, so that every dot product is exact.

A float's last bits depend on how a matrix product is cut into blocks and threads, and with them whether a pair lies
above a threshold and which cell a row falls into. Whole numbers below 2**24 add up exactly in float32 whatever the
order: vectors of length 4,000 stay below it in every partial sum (Cauchy-Schwarz), at the full speed of float32.
"""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.errors import InputError

Directions = NDArray[np.int16]
"""int16[n, width]: vectors scaled to length `LENGTH` and rounded. A cosine moves by about 0.0001."""
LENGTH = 4_000
WIDEST = 32_768
"""Numbers in a vector up to which rounding, by half a unit each, leaves its length below 4,096: 2**24 squared."""
_ROWS = 1_024
"""Rows at a time: what they take as floats stays in the cache."""


def rounded(vectors: NDArray[np.floating[Any]]) -> tuple[Directions, NDArray[np.bool_]]:
    """Round n vectors, floats[n, width]; return them and bool[n], whether each has a direction at all.

    A vector of zeros has none, nor has one with a number that float32 holds as not finite.
    """
    whole = np.zeros(vectors.shape, np.int16)
    pointing = np.zeros(len(vectors), np.bool_)
    for start in range(0, len(vectors), _ROWS):
        part = vectors[start : start + _ROWS].astype(np.float32)
        largest = np.abs(part).max(axis=1, initial=0, keepdims=True)
        clear = (np.isfinite(largest) & (largest > 0)).ravel()
        part = part[clear] / largest[clear]
        length = np.sqrt(np.square(part).sum(axis=1, keepdims=True, dtype=np.float64))
        part *= (LENGTH / length).astype(np.float32)
        whole[start : start + _ROWS][clear] = np.rint(part, out=part)
        pointing[start : start + _ROWS] = clear
    return whole, pointing


def matrix(given: pa.Array, column: str) -> NDArray[Any]:
    """Return numbers[n, width] of n lists without nulls, all of one width; width is 0 where n is.

    Raises:
        InputError: widths differ, are 0 or too large.
    """
    widths = pc.unique(pc.list_value_length(given)).to_pylist()
    if len(widths) > 1:
        raise InputError(
            f"{column}: vectors of {min(widths)} and of {max(widths)} numbers cannot be compared. "
            "Embed all rows with one model"
        )
    width = widths[0] if widths else 0
    if widths and not 0 < width <= WIDEST:
        raise InputError(f"{column}: vectors of {width} numbers; from 1 to {WIDEST} can be compared")
    return np.asarray(given.flatten()).reshape(len(given), width)


def lists(directions: Directions) -> pa.Array:
    """Return n directions as an Arrow array of lists."""
    count, width = directions.shape
    offsets = pa.array(np.arange(count + 1) * width, pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(directions.ravel()))


def digests(directions: Directions) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the two halves of a 128-bit BLAKE2b of each row."""
    raw = np.ascontiguousarray(directions, "<i2")
    told = b"".join(hashlib.blake2b(row.data, digest_size=16).digest() for row in raw)
    halves = np.frombuffer(told, "<u8").reshape(-1, 2)
    return halves[:, 0].copy(), halves[:, 1].copy()


def squares(directions: Directions) -> NDArray[np.float64]:
    """Return float64[n]: the squared length of each, a whole number; about that of `LENGTH`, but for rounding."""
    parts = [directions[start : start + _ROWS].astype(np.int64) for start in range(0, len(directions), _ROWS)]
    return np.concatenate([np.square(part).sum(axis=1) for part in parts] or [np.zeros(0)]).astype(np.float64)
