"""The texts of a table: of several columns, and of the turns of conversations, each distinct one once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MARK = "\0"
"""Between a language and a text; no code of a language has it."""
Column = Literal["caption", "text", "transcript", "conversations"]


@dataclass(frozen=True)
class Piece:
    """The texts of one column, in order; every turn of a conversation is one."""

    column: str
    texts: pa.Array
    """dictionary<int32, string>[m]; all pieces share one dictionary."""
    rows: np.ndarray
    """int64[m]: the row of the table that each is in."""
    turns: np.ndarray | None
    """int64[m]: its turn in the conversation, None for a column of plain text."""


@dataclass(frozen=True)
class Place:
    """One occurrence of a text."""

    row: int
    column: str
    turn: int | None
    text: int
    """Index of the text among the distinct ones."""


@dataclass(frozen=True)
class Texts:
    """All texts of a table."""

    distinct: list[str]
    """Each text once; once for each language that it is said to be in."""
    languages: list[str | None] | None
    """Of each of `distinct`; None where nothing tells languages."""
    pieces: tuple[Piece, ...]

    def places(self) -> Iterator["Place"]:
        """Yield where each text that is not null stands, in order of columns, rows and turns."""
        for piece in self.pieces:
            indices = piece.texts.indices.to_pylist()
            turns = [None] * len(indices) if piece.turns is None else piece.turns.tolist()
            for row, turn, text in zip(piece.rows.tolist(), turns, indices, strict=True):
                if text is not None:
                    yield Place(row, piece.column, turn, text)

    def written(self, table: pa.Table, clean: Sequence[str]) -> dict[str, pa.Array]:
        """Return the columns with each distinct text replaced by its counterpart in `clean`; nulls stay."""
        texts = pa.array(clean, pa.string())
        return {piece.column: _filled(_whole(table, piece.column), texts.take(piece.texts.indices))
                for piece in self.pieces}  # fmt: skip


def named_once(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return columns, each of which is named once.

    Raises:
        ValueError: one is named twice.
    """
    if len(set(columns)) < len(columns):
        raise ValueError("each column is named once")
    return columns


def gather(table: pa.Table, columns: Sequence[str], spoken: pa.Array | None = None) -> Texts:
    """Find the texts of `columns`: string columns, and lists of turns.

    Args:
        table: n rows.
        columns: to look in.
        spoken: string[n], the language of each row: equal texts in two languages are two. A row in which it is null
            is left out: its texts count as null.
    """
    flat = [_flat(_whole(table, column)) for column in columns]
    if spoken is not None:
        flat = [(_marked(texts, spoken.take(pa.array(rows))), rows, turns) for texts, rows, turns in flat]
    encoded = pa.concat_arrays([texts for texts, _, _ in flat]).dictionary_encode()
    pieces, start = [], 0
    for column, (texts, rows, turns) in zip(columns, flat, strict=True):
        pieces.append(Piece(column, encoded.slice(start, len(texts)), rows, turns))
        start += len(texts)
    distinct = encoded.dictionary.to_pylist()
    if spoken is None:
        return Texts(distinct, None, tuple(pieces))
    parted = [text.partition(MARK) for text in distinct]
    return Texts([text for _, _, text in parted], [language for language, _, _ in parted], tuple(pieces))


def _marked(texts: pa.Array, languages: pa.Array) -> pa.Array:
    """Write the language before each text, null where either is."""
    return pc.binary_join_element_wise(languages, texts, MARK)


def _whole(table: pa.Table, column: str) -> pa.Array:
    return pa.concat_arrays(table[column].chunks) if table[column].num_chunks else table[column].combine_chunks()


def _flat(column: pa.Array) -> tuple[pa.Array, np.ndarray, np.ndarray | None]:
    """Return texts with the row of each, and its turn."""
    if not pa.types.is_list(column.type):
        return column, np.arange(len(column)), None
    lengths = _lengths(column)
    rows = np.repeat(np.arange(len(column)), lengths)
    turns = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return pc.struct_field(column.flatten(), "value"), rows, turns


def _lengths(lists: pa.Array) -> np.ndarray:
    return pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)


def _filled(column: pa.Array, texts: pa.Array) -> pa.Array:
    """Put texts in the place of those of a column."""
    if not pa.types.is_list(column.type):
        return texts
    turns = column.flatten()
    kept = [texts if field.name == "value" else pc.struct_field(turns, field.name) for field in turns.type]
    struct = pa.StructArray.from_arrays(kept, fields=list(turns.type), mask=turns.is_null())
    offsets = pa.array(np.concatenate([[0], np.cumsum(_lengths(column))]), pa.int32())
    return pa.ListArray.from_arrays(offsets, struct, type=column.type, mask=column.is_null())
