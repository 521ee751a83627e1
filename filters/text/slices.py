"""Some rows of a text column as code points, their flags, and the sums that the hash of any span is read from.

A span's hash is a polynomial of its code points modulo 2^64, so that it takes two look-ups whatever the span's length.
It is no defence against texts made to collide: those have words counted as equal that are not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.text.classes import Flags, flags

Positions = NDArray[np.int64]
Hashes = NDArray[np.uint64]

SLICE_BYTES = 1 << 18
"""What is worked on at once stays in a processor's cache; a longer text is a slice of its own."""
PERIOD = 1 << 22
"""Powers are kept up to here. In a longer text, a span over a multiple of it hashes unlike its equals elsewhere."""
FACTOR = 0x9E3779B97F4A7C15
_UNITS = 1 << 64


@dataclass(frozen=True)
class Slice:
    """Consecutive rows of a column. `n` is the number of code points in them, `rows` the number of rows."""

    points: NDArray[np.uint32]
    """uint32[n]"""
    starts: Positions
    """int64[rows + 1]: where each row begins, and at the last place n."""

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.starts) - 1

    @cached_property
    def flags(self) -> Flags:
        """Return uint32[n], what each code point is."""
        return flags()[self.points]

    @cached_property
    def sums(self) -> Hashes:
        """Return uint64[n + 1], the polynomial up to each place."""
        n = len(self.points)
        sums = np.zeros(n + 1, np.uint64)
        terms = sums[1:]
        terms[:] = self.points
        terms += np.uint64(1)
        for first in range(0, n, PERIOD):
            piece = terms[first : first + PERIOD]
            piece *= _powers(_enough(len(piece)), inverse=False)[: len(piece)]
        np.cumsum(terms, out=terms)
        return sums

    def hashes(self, starts: Positions, ends: Positions) -> Hashes:
        """Return uint64[m], the hash of each span; equal code points give equal hashes, wherever they stand."""
        inverse = _powers(_enough(min(len(self.points) + 1, PERIOD)), inverse=True)
        found = self.sums[ends]
        found -= self.sums[starts]
        found *= inverse[starts % PERIOD]
        return mixed(found)

    def places(self, point: str) -> Positions:
        """Return int64[m], where a character stands."""
        return np.flatnonzero(self.points == ord(point))

    def row_of(self, places: Positions) -> Positions:
        """Return int64[m], the row that each place is in."""
        return np.searchsorted(self.starts, places, side="right") - 1

    def per_row(self, places: Positions, weights: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return int64[rows], how many of the places a row has, or the sum of their weights."""
        found = np.bincount(self.row_of(places), weights, self.rows)
        return found.astype(np.int64)

    def lengths(self) -> NDArray[np.int64]:
        """Return int64[rows], the code points of each row."""
        return np.diff(self.starts)


def mixed(values: Hashes) -> Hashes:
    """Spread the bits of hashes, in place: a polynomial's low bits depend on low bits alone."""
    values ^= values >> np.uint64(32)
    values *= np.uint64(0xD6E8FEB86659FD93)
    values ^= values >> np.uint64(32)
    return values


def hashes_of(texts: Sequence[str]) -> Hashes:
    """Return uint64[m], the hash that a span with such a text has."""
    whole = slice_of("".join(texts), [len(text) for text in texts])
    return whole.hashes(whole.starts[:-1], whole.starts[1:])


def slice_of(text: str, lengths: Sequence[int]) -> Slice:
    """Make a slice of texts that stand one behind the other."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return Slice(points, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64))


def slices_of(column: pa.Array) -> Iterator[Slice]:
    """Cut a string column without nulls into slices, in order.

    Raises:
        UnicodeDecodeError: a text is not UTF-8.
    """
    column = column.cast(pa.large_string())
    if len(column) == 0:
        return
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    data = memoryview(column.buffers()[2] or b"")
    first = 0
    while first < len(column):
        last = int(np.searchsorted(offsets, offsets[first] + SLICE_BYTES, side="right")) - 1
        last = min(max(last, first + 1), len(column))
        yield _decoded(data[offsets[first] : offsets[last]], offsets[first : last + 1] - offsets[first])
        first = last


def _decoded(raw: memoryview, offsets: Positions) -> Slice:
    points = np.frombuffer(str(raw, "utf-8").encode("utf-32-le"), np.uint32)
    if len(points) == len(raw):
        return Slice(points, offsets)
    begins = (np.frombuffer(raw, np.uint8) & 0xC0) != 0x80  # noqa: PLR2004 - bytes that go on
    before = np.concatenate([[0], np.cumsum(begins, dtype=np.int64)])
    return Slice(points, before[offsets])


def _enough(length: int) -> int:
    """Round up, so that few tables of powers are ever made."""
    return max(SLICE_BYTES + 1, 1 << (length - 1).bit_length()) if length > 1 else SLICE_BYTES + 1


@lru_cache(maxsize=4)
def _powers(length: int, *, inverse: bool) -> Hashes:
    powers = np.full(length, pow(FACTOR, -1, _UNITS) if inverse else FACTOR, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, out=powers)
