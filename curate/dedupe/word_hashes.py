"""Words of folded text as 64-bit hashes, and runs of n words as hashes of those.

Words are read eight bytes at a time, all words of a batch at once. A run of words is hashed by a polynomial over its
words, put together from runs of 1, 2, 4, 8, ... words, so that a length costs its logarithm.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.dedupe.folding import SPACE, Folded, fold

Hashes = NDArray[np.uint64]
MULTIPLIERS = (0x9E3779B97F4A7C15, 0xD1342543DE82EF95)
"""Odd; one for each of the two hashes of a run. Drawn from published generators, and good as any."""
_FIRST, _SECOND, _CHAIN = (np.uint64(odd) for odd in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xAEF17502108EF2D9))
_HALF = np.uint64(32)
_STEP = 8
_LONG = 64
"""Bytes. Words longer than this are hashed one by one: there are few, and one may be as long as its document."""
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_STEP + 1)], np.uint64)
_PART_CHARS = 1 << 20
BATCH_BYTES = 4 << 20
"""Of text folded at a time: arrays of this stay in the caches better than larger ones."""


@dataclass(frozen=True)
class Words:
    """The words of n rows, one after the other."""

    hashes: Hashes
    rows: NDArray[np.int64]
    """int64[n + 1]: row i has words `rows[i]` to `rows[i + 1]`."""


def words(column: pa.Array | pa.ChunkedArray) -> Words:
    """Hash the words of a text column, a long text in parts; a null has none."""
    if len(column) != 1 or (pc.binary_length(column[0]).as_py() or 0) <= BATCH_BYTES:
        return _words(fold(column))
    parts = [_words(fold(pa.array([part], pa.large_string()))).hashes for part in _cut(column[0].as_py())]
    hashes = np.concatenate(parts)
    return Words(hashes, np.array([0, len(hashes)]))


def _cut(text: str) -> Iterator[str]:
    """Cut a long text where it has a space or a line break: what is folded never spans these."""
    start = 0
    while start < len(text):
        places = [text.find(end, start + _PART_CHARS) for end in (" ", "\n")]
        stop = min((place for place in places if place >= 0), default=len(text))
        yield text[start:stop]
        start = stop


def slices(column: pa.Array | pa.ChunkedArray, most_bytes: int = BATCH_BYTES) -> Iterator[slice]:
    """Cut a text column into runs of rows of at most `most_bytes`, or of one row that is longer."""
    sizes = pc.fill_null(pc.binary_length(column), 0).to_numpy()
    ends = np.cumsum(sizes, dtype=np.int64)
    start, before = 0, 0
    while start < len(ends):
        stop = max(start + 1, int(np.searchsorted(ends, before + most_bytes, side="right")))
        yield slice(start, stop)
        start, before = stop, int(ends[stop - 1])


def runs(hashes: Hashes, length: int, multiplier: int = MULTIPLIERS[0]) -> Hashes:
    """Hash each run of `length` words: uint64[w - length + 1] of uint64[w], or none where there are fewer."""
    if len(hashes) < length:
        return np.empty(0, np.uint64)
    power, doubled, size = multiplier, hashes, 1
    whole: Hashes | None = None
    taken, left = 0, length
    while left:
        if left & 1:
            # Runs of the lengths so far are prefixes: what comes now stands behind them.
            whole = doubled if whole is None else _joined(whole, doubled, taken, power)
            taken += size
        left >>= 1
        if left:
            doubled = _joined(doubled, doubled, size, power)
            power = power * power % 2**64
            size *= 2
    return whole if whole is not None else np.empty(0, np.uint64)


def _joined(left: Hashes, right: Hashes, taken: int, power: int) -> Hashes:
    """Hash runs that begin as `left` says, `taken` words long, and go on as `right`, for whose length `power` is."""
    count = min(len(left), len(right) - taken)
    joined = left[:count] * np.uint64(power)
    joined += right[taken : taken + count]
    return joined


def _words(folded: Folded) -> Words:
    text = np.concatenate([folded.text, np.full(_STEP, SPACE, np.uint8)])
    is_word = text != SPACE
    edges = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1
    if is_word[0]:
        edges = np.concatenate([np.zeros(1, np.int64), edges])
    starts, stops = edges[::2], edges[1::2]
    return Words(_hashed(text, starts, stops - starts), np.searchsorted(starts, folded.rows))


def _hashed(text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Hashes:
    # Eight bytes from every place, which overlap; the text is padded by as many.
    eights: Hashes = np.ndarray((len(text) - _STEP + 1,), "<u8", text.data, strides=(1,))
    hashes = mixed(eights[starts] & _MASKS[np.minimum(lengths, _STEP)])
    longer, at = np.flatnonzero(lengths > _STEP), _STEP
    while len(longer) and at < _LONG:
        eight = eights[starts[longer] + at] & _MASKS[np.minimum(lengths[longer] - at, _STEP)]
        hashes[longer] = mixed(hashes[longer] * _CHAIN + eight)
        at += _STEP
        longer = longer[lengths[longer] > at]
    for place in longer:
        word = text[starts[place] : starts[place] + lengths[place]].tobytes()
        hashes[place] = int.from_bytes(hashlib.blake2b(word, digest_size=8).digest(), "little")
    return hashes


def mixed(numbers: Hashes) -> Hashes:
    """Spread each bit over all, as the finalizer of SplitMix64 does (Steele et al. 2014), in place."""
    numbers *= _FIRST
    numbers ^= numbers >> _HALF
    numbers *= _SECOND
    numbers ^= numbers >> _HALF
    return numbers
