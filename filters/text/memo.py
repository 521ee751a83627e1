"""What was made of a text is kept for the next stage that asks for the same text.

A worker's stages see the same batch one after the other, less the rows that the stages before dropped. Kept are the
slices of the last batches, by a hash of each row's text, with all that was computed on them.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.text.lines import Pieces, split_lines
from filters.text.slices import Positions, Slice, slices_of
from filters.text.words import Chunks, Words, by_character, chunks_of, words_of

KEPT_BATCHES = 2
KEPT_BYTES = 1 << 23
"""Of text in a batch that is kept, at most; what is computed takes about 30 times as much."""
WORTH = 0.5
"""Share of a kept slice's rows that must be asked for, or it is not worth measuring the others with them."""


@dataclass(frozen=True)
class Read:
    """A slice with its words and lines, each computed once when first asked for."""

    text: Slice

    @cached_property
    def words(self) -> Words:
        """Return the words; a run of a script without spaces is one."""
        return words_of(self.text)

    @cached_property
    def chunks(self) -> Chunks:
        """Return what white space parts."""
        return chunks_of(self.text)

    @cached_property
    def characters(self) -> Words:
        """Return the words; a character of a script without spaces is one."""
        return by_character(self.words)

    @cached_property
    def lines(self) -> Pieces:
        """Return the lines, as `str.splitlines` tells them."""
        return split_lines(self.text)

    def words_as(self, unspaced: str) -> Words:
        """Return the words as the setting `unspaced` has them."""
        return self.characters if unspaced == "characters" else self.words


@dataclass(frozen=True)
class _Batch:
    rows: dict[bytes, int]
    """Hash of each row's text -> its place in the batch."""
    reads: list[Read]
    offsets: Positions
    """int64[slices + 1]: which row is the first of each slice."""


_kept: deque[_Batch] = deque(maxlen=KEPT_BATCHES)


def measured(column: pa.Array, measure: Callable[[Read], list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Measure each text of a string column of n rows, null as an empty text.

    `measure` returns arrays with a value for each row of a slice. Returned are those arrays for the n rows. They have
    no place for null, `np.nan` in a float array says that there is nothing to say.

    Raises:
        UnicodeDecodeError: a text is not UTF-8.
    """
    batch, places = _batch_of(column.fill_null(""))
    used = np.unique(np.searchsorted(batch.offsets, places, side="right") - 1)
    parts = [measure(batch.reads[number]) for number in used.tolist()] or [measure(_EMPTY)]
    before = np.zeros(len(batch.reads) + 1, np.int64)
    sizes = np.diff(batch.offsets)
    before[used + 1] = sizes[used]
    shift = np.cumsum(before)[:-1] - batch.offsets[:-1]
    at = places + shift[np.searchsorted(batch.offsets, places, side="right") - 1] if len(places) else places
    return [np.concatenate(some)[at] for some in zip(*parts, strict=True)]


_EMPTY = Read(Slice(np.zeros(0, np.uint32), np.zeros(1, np.int64)))


def _batch_of(column: pa.Array) -> tuple[_Batch, Positions]:
    """Return a batch that holds the texts of a column, and the place of each in it."""
    keys = [hashlib.blake2b(text.as_buffer(), digest_size=16).digest() for text in column]
    for batch in _kept:
        places = np.array([batch.rows.get(key, -1) for key in keys], np.int64)
        if _worth(batch, places):
            return batch, places
    reads = [Read(text) for text in slices_of(column)]
    offsets = np.concatenate([[0], np.cumsum([read.text.rows for read in reads], dtype=np.int64)]).astype(np.int64)
    batch = _Batch({key: place for place, key in enumerate(keys)}, reads, offsets)
    if column.nbytes <= KEPT_BYTES:
        _kept.appendleft(batch)
    return batch, np.arange(len(keys))


def _worth(batch: _Batch, places: Positions) -> bool:
    if len(places) == 0 or (places < 0).any():
        return False
    used = np.unique(np.searchsorted(batch.offsets, places, side="right") - 1)
    return len(places) >= WORTH * int(np.diff(batch.offsets)[used].sum())
