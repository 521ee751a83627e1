"""Lines and paragraphs of documents: told apart by hashes, and taken out of their documents.

What is compared is folded as CCNet does, Wenzek et al. (2020), arXiv:1911.00359, section 2.1: case, accents,
punctuation and white space do not count, and every number is the same. CCNet deletes punctuation where a space is put
here, and keeps 64 bits of SHA-1 where 128 bits of another hash are kept here.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.dedupe.word_hashes import MULTIPLIERS, Hashes, Words, mixed, slices, words
from curate.errors import StageError

Unit = Literal["line", "paragraph"]
_BLANK_LINES = r"\n(?:[ \t\r]*\n)+"
_JOINTS = {"line": "\n", "paragraph": "\n\n"}


@dataclass(frozen=True)
class Pieces:
    """m lines or paragraphs of n documents, in their order."""

    row: NDArray[np.int32]
    """int32[m]: which document."""
    piece: NDArray[np.int32]
    """int32[m]: which of its lines or paragraphs; those that are not compared are counted, too."""
    node: Hashes
    """uint64[m]: pieces that fold alike have the same."""
    check: Hashes
    """uint64[m]: the other half of the hash."""


@dataclass(frozen=True)
class Without:
    """n documents after something was taken out of them."""

    text: pa.Array
    """large_string[n]; as it was where nothing was taken out."""
    removed: NDArray[np.int64]
    """int64[n]: pieces taken out."""


def split(texts: pa.Array | pa.ChunkedArray, unit: Unit, min_chars: int) -> Pieces:
    """Hash the pieces of a text column; a null has none.

    Pieces without a letter or digit, or of fewer than `min_chars` characters, spaces at their ends aside, are left out.
    """
    column = _flat(texts)
    parts = [_split(column[part], unit, min_chars, part.start) for part in slices(column)]
    names = ("row", "piece", "node", "check")
    kinds = (np.int32, np.int32, np.uint64, np.uint64)
    return Pieces(*(
        np.concatenate([np.empty(0, kind), *(getattr(part, name) for part in parts)]).astype(kind)
        for name, kind in zip(names, kinds, strict=True)
    ))  # fmt: skip


def without(texts: pa.Array | pa.ChunkedArray, repeated: pa.Array | pa.ChunkedArray, unit: Unit) -> Without:
    """Take the pieces `repeated`, list<int32>[n], out of a text column; a null list takes nothing.

    What is left of a document is joined by a line break, or by a blank line between paragraphs.

    Raises:
        StageError: a document has no such piece.
    """
    column, lists = _flat(texts), _flat(repeated)
    removed = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    changed = np.flatnonzero(removed)
    if not len(changed):
        return Without(column, removed)
    rows = pa.array(changed)
    pieces = _pieces(column.take(rows), unit)
    taken = lists.take(rows)
    at = np.asarray(pieces.offsets)[np.asarray(pc.list_parent_indices(taken))] + np.asarray(pc.list_flatten(taken))
    left = np.ones(len(pieces.values), np.bool_)
    _need_inside(at, np.asarray(pieces.offsets), np.asarray(pc.list_parent_indices(taken)))
    left[at] = False
    offsets = np.concatenate([[0], np.cumsum(left)])[np.asarray(pieces.offsets)]
    kept = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pieces.values.filter(pa.array(left)))
    joined = pc.binary_join(kept, pa.scalar(_JOINTS[unit], pa.large_string()))
    return Without(pc.replace_with_mask(column, pa.array(removed > 0), joined), removed)


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.cast(pa.large_string()) if pa.types.is_string(whole.type) else whole


def _pieces(texts: pa.Array, unit: Unit) -> pa.ListArray:
    """Return list<large_string>[n], without nulls, whose offsets begin at 0."""
    filled = pc.fill_null(texts, pa.scalar("", pa.large_string()))
    if unit == "line":
        return pc.split_pattern(filled, "\n")
    return pc.split_pattern_regex(filled, _BLANK_LINES)


def _need_inside(at: NDArray[np.int64], offsets: NDArray[np.int32], rows: NDArray[np.int64]) -> None:
    if np.any((at < offsets[rows]) | (at >= offsets[rows + 1])):
        raise StageError(
            "a document has fewer lines or paragraphs than are to be taken out of it: it was changed since"
        )


def _split(texts: pa.Array, unit: Unit, min_chars: int, first_row: int) -> Pieces:
    pieces = _pieces(texts, unit)
    hashed = words(pieces.values)
    long_enough = pc.utf8_length(pc.utf8_trim_whitespace(pieces.values)).to_numpy() >= min_chars
    told = np.flatnonzero((np.diff(hashed.rows) > 0) & long_enough)
    offsets = np.asarray(pieces.offsets, np.int64)
    row = np.searchsorted(offsets, told, side="right") - 1
    node, check = (_of_rows(hashed, told, multiplier) for multiplier in MULTIPLIERS)
    return Pieces(
        (row + first_row).astype(np.int32), (told - offsets[row]).astype(np.int32), node, check
    )  # fmt: skip


def _of_rows(texts: Words, told: NDArray[np.int64], multiplier: int) -> Hashes:
    """Return uint64[m]: a polynomial over the words of each of the rows `told`, none of which is empty."""
    if not len(told):
        return np.empty(0, np.uint64)
    lengths = np.diff(texts.rows)
    powers = np.full(int(lengths.max()), np.uint64(multiplier))
    np.multiply.accumulate(powers, out=powers)
    places = np.arange(len(texts.hashes)) - np.repeat(texts.rows[:-1], lengths)
    # Rows without words have no sum of their own: what begins where they do is the next row's.
    there = np.flatnonzero(lengths)
    sums = np.zeros(len(lengths), np.uint64)
    sums[there] = np.add.reduceat(texts.hashes * powers[places], texts.rows[there])
    return mixed(sums[told])
