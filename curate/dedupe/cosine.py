"""All pairs of directions above a cosine, block by block, in bounded memory."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curate.dedupe.directions import Directions, squares
from curate.dedupe.forest import Places, forest
from curate.errors import InputError

Pairs = tuple[Places, Places]
Squares = NDArray[np.float64]
MOST = 1 << 22
"""Pairs that a search holds as they are, 64 MiB; of more, only as many as join the same rows."""
_TILE = 1_024
"""Rows and columns of a block of cosines, 4 MiB: from here on the matrix product runs at full speed."""


def pairs_above(
    left: Directions, right: Directions | None, cosine: float, *, thin: bool = False, most: int | None = None
) -> Pairs:
    """Return the places (i, j) of all pairs whose cosine is larger; with `right` None those among `left`, i < j.

    Exact: the same for any cut into blocks. Where there are more than `most` (MOST, and more than two a row) and `thin`
    allows it, pairs that join what others join already may be left out: 100,000 rows that say nearly the same make
    five thousand million pairs.

    Raises:
        InputError: there are more than `most` and more than eight a row, and `thin` does not allow to leave any out.
    """
    found = _Found(len(left), None if right is None else len(right), thin=thin, most=MOST if most is None else most)
    other = left if right is None else right
    both = squares(left), squares(other)
    for top, low in _corners(len(left), len(other), halved=right is None):
        rows, columns = slice(top, top + _TILE), slice(low, low + _TILE)
        i, j = _block(left[rows], other[columns], (both[0][rows], both[1][columns]), cosine)
        found.add(i + top, j + low)
    return found.pairs()


def _corners(rows: int, columns: int, *, halved: bool) -> Iterator[tuple[int, int]]:
    for top in range(0, rows, _TILE):
        for low in range(top if halved else 0, columns, _TILE):
            yield top, low


def _block(left: Directions, right: Directions, both: tuple[Squares, Squares], cosine: float) -> Pairs:
    dots = left.astype(np.float32) @ right.astype(np.float32).T
    # Dot products are whole: with one less than the smallest bound of the block none is lost to rounding.
    bound = np.floor(cosine * np.sqrt(both[0].min() * both[1].min())) - 1
    near = np.flatnonzero(dots > np.float32(bound))
    i, j = np.divmod(near, len(right))
    # Products of two squares are below 2**48 and exact, and so are roots of squares: no pair is as near as to itself.
    sure = dots.ravel()[near] > cosine * np.sqrt(both[0][i] * both[1][j])
    return i[sure], j[sure]


class _Found:
    """Pairs found so far, thinned where they grow beyond a bound."""

    def __init__(self, left: int, right: int | None, *, thin: bool, most: int) -> None:
        """Know how many rows there are: left and right ones, or only left ones."""
        self._within = right is None
        self._offset = 0 if right is None else left
        self._rows = left + (right or 0)
        self._thin = thin
        self._most = max(most, (2 if thin else 8) * self._rows)
        self._parts: list[Pairs] = []
        self._held = 0

    def add(self, i: Places, j: Places) -> None:
        if self._within:
            i, j = i[i < j], j[i < j]
        self._parts.append((i, j))
        self._held += len(i)
        if self._held > self._most:
            self._thin_out()

    def _thin_out(self) -> None:
        if not self._thin:
            raise InputError(
                f"more than {self._most} pairs among {self._rows} rows lie above the cosine: leaders can only be "
                "picked from all pairs. Take `linkage: single`, or a smaller epsilon"
            )
        i, j = self.pairs()
        kept = forest(i, j + self._offset, self._rows)
        self._parts, self._held = [(i[kept], j[kept])], len(kept)

    def pairs(self) -> Pairs:
        i, j = (np.concatenate(side) for side in zip(*self._parts, strict=True)) if self._parts else _no_pairs()
        return i, j


def _no_pairs() -> Pairs:
    return np.zeros(0, np.int64), np.zeros(0, np.int64)
