"""What samples hold of evaluation sets, as columns: how much, and of which items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.dedupe.evaluation_pictures import PictureIndex
from curate.dedupe.ngrams import Index

ENTRY = pa.struct(
    [
        pa.field("set", pa.string()),  # the evaluation set's name
        pa.field("item", pa.string()),  # the item's id in it
        pa.field("hits", pa.int32()),  # n-grams of the item that the sample holds; null of a picture
        pa.field("share", pa.float32()),  # of the item's n-grams, 0..1; null of a picture
        pa.field("bits", pa.int32()),  # in which the hashes of both pictures differ; null of a text
    ]
)
TOLD = 1000
"""Items told of a sample; only a copy of a large part of a test set holds more."""


@dataclass(frozen=True)
class Entries:
    """k pairs of a row and an item that it holds, rows in order and the most telling item of each first."""

    rows: NDArray[np.int64]
    names: tuple[tuple[str, str], ...] | list[tuple[str, str]]
    """Of all items: set and id."""
    items: NDArray[np.int64]
    told: dict[str, pa.Array]
    """Fields of `ENTRY`."""


Found = tuple[list[pa.Array], pa.Array, Entries]
"""Columns, string[n] of failures, and the items."""


def looking_through(index: Index, columns: Sequence[str]) -> Callable[[pa.Table], Found]:
    """Return a function from samples to int32[n] n-grams found and float32[n] share of the item they hold most of."""

    def look(table: pa.Table) -> Found:
        texts, owners = _texts(table, columns)
        found = index.find(texts, owners, table.num_rows)
        shares = found.found / index.totals[found.items]
        highest = np.zeros(table.num_rows)
        np.maximum.at(highest, found.rows, shares)
        order = np.lexsort((found.items, -found.found, -shares, found.rows))
        told = {"hits": pa.array(found.found[order]), "share": pa.array(shares[order])}
        entries = Entries(found.rows[order], index.names, found.items[order], told)
        measured = [pa.array(found.hits.astype(np.int32)), pa.array(highest.astype(np.float32))]
        return measured, pa.nulls(table.num_rows, pa.string()), entries

    return look


def _texts(table: pa.Table, columns: Sequence[str]) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the texts of all columns in one array, and the row of each; a conversation has one for each turn."""
    texts, owners = [], []
    for name in columns:
        column = table[name].combine_chunks()
        rows = pa.array(np.arange(table.num_rows))
        if pa.types.is_list(column.type):
            rows, column = pc.list_parent_indices(column), pc.struct_field(pc.list_flatten(column), "value")
        texts.append(column.cast(pa.large_string()))
        owners.append(np.asarray(rows, np.int64))
    return pa.concat_arrays(texts), np.concatenate(owners)


def looking_at(index: PictureIndex) -> Callable[[pa.Table], Found]:
    """Return a function from samples to int32[n], the bits between a picture and the test picture most like it.

    A picture that cannot be read fails; 256 where there is none, or one too flat to be told from others.
    """

    def look(table: pa.Table) -> Found:
        near = index.find(table["image"].combine_chunks())
        why = pa.scalar("unreadable_image"), pa.scalar(None, pa.string())
        order = np.lexsort((near.items, near.item_bits, near.rows))
        entries = Entries(near.rows[order], index.names, near.items[order], {"bits": pa.array(near.item_bits[order])})
        return [pa.array(near.bits)], pc.if_else(pa.array(near.unreadable), *why), entries

    return look


def listed(parts: Sequence[Entries], rows: int) -> pa.Array:
    """Return list<ENTRY>[n]: the items of each row, at most `TOLD` of them; those of the first part come first."""
    tables = [_table(part) for part in parts]
    whole = pa.concat_tables(tables)
    at = np.asarray(whole["row"], np.int64)
    order = np.argsort(at, kind="stable")
    begins = np.searchsorted(at[order], np.arange(rows + 1))
    place = np.arange(len(order)) - begins[at[order]]
    kept = whole.take(pa.array(order[place < TOLD]))
    offsets = np.concatenate([[0], np.cumsum(np.minimum(np.diff(begins), TOLD))])
    fields = [kept[f.name].combine_chunks() for f in ENTRY]
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.StructArray.from_arrays(fields, fields=list(ENTRY))
    )


def _table(entries: Entries) -> pa.Table:
    items = pa.array(entries.items)
    sets, ids = (pa.array([name[part] for name in entries.names], pa.string()).take(items) for part in (0, 1))
    count = len(entries.rows)
    told = {name: values.cast(ENTRY.field(name).type) for name, values in entries.told.items()}
    others = {f.name: pa.nulls(count, f.type) for f in ENTRY if f.name not in (*told, "set", "item")}
    columns = {"row": pa.array(entries.rows), "set": sets, "item": ids, **told, **others}
    return pa.table({name: columns[name] for name in ("row", *(f.name for f in ENTRY))})
