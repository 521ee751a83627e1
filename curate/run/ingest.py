"""Listing a source once: partition i is fixed here, for every stage and every later run in this directory.

The secret that keys the samples' names comes from CURATE_KEY_SECRET, which keeps a sample's key the same in every list
it stands in; without it, from the whole list itself, so that equal input gives equal bytes. It is stored nowhere.
"""

import hashlib
import json
import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import InputError
from curate.ledger import part_name
from curate.run.layout import Run, read_json
from curate.run.opened import FAILED
from curate.run.parts import read_table, write_table
from curate.sample import sample_key
from curate.stage import Source

FOLDER, DONE = "source", "source/done.json"
_UNNAMED = "listing"
"""Partitions whose keys wait for the secret, which is known at the end of the list."""


def listed(run: Run) -> dict[str, int] | None:
    """Return how many rows and partitions the source has, or None where it was not listed to the end."""
    if not run.work.exists(DONE):
        return None
    return read_json(run.work, DONE)


def list_source(source: Source, run: Run) -> dict[str, int]:
    """Write the source's rows to `work/source`, a partition in each file; memory holds two partitions.

    Raises:
        InputError: the source cannot be read, or lists nothing.
    """
    done = listed(run)
    if done is not None:
        return done
    given = os.environ.get("CURATE_KEY_SECRET")
    if given:
        counts = _write(source, run, partitions(source), hashlib.blake2b(given.encode()).digest())
    else:
        counts = _write_twice(source, run)
    if counts["rows"] == 0:
        raise InputError(f"{source.name}: the input lists no samples")
    run.work.delete(_UNNAMED)
    run.work.write(DONE, json.dumps(counts).encode())
    return counts


def _write(source: Source, run: Run, tables: Iterator[pa.Table], secret: bytes) -> dict[str, int]:
    rows = count = 0
    for count, table in enumerate(tables, start=1):
        write_table(run.work / FOLDER, _file(count - 1), _with_keys(source, table, secret))
        rows += table.num_rows
    return {"rows": rows, "partitions": count}


def _write_twice(source: Source, run: Run) -> dict[str, int]:
    """Write without keys, then with them: the source, which may be slow, far away and changing, is read once."""
    whole = hashlib.blake2b()
    count = 0
    for count, table in enumerate(partitions(source), start=1):
        write_table(run.work / _UNNAMED, _file(count - 1), table)
        for identity in _identities(source, table):
            whole.update(sample_key(identity).encode())
    unnamed = (read_table(run.work / _UNNAMED, _file(i)) for i in range(count))
    return _write(source, run, unnamed, whole.digest())


def _file(partition: int) -> str:
    return part_name(partition) + ".parquet"


def partitions(source: Source) -> Iterator[pa.Table]:
    """Yield the rows of a source a partition at a time; where one ends depends on the rows alone.

    A partition has `partition_size` rows, or fewer: it ends before the row with which it would exceed
    `partition_bytes`, and a longer row is one of its own.
    """
    schema = pa.schema([*source.outputs(), FAILED])
    waiting = schema.empty_table()
    sizes = np.zeros(0, np.int64)
    for scanned in source.scan():
        table = _fit(scanned, schema)
        waiting = pa.concat_tables([waiting, table])
        sizes = np.concatenate([sizes, _sizes(table)])
        while rows := _full(source, sizes):
            yield waiting.slice(0, rows).combine_chunks()
            waiting, sizes = waiting.slice(rows), sizes[rows:]
    if waiting.num_rows:
        yield waiting.combine_chunks()


def _full(source: Source, sizes: npt.NDArray[np.int64]) -> int:
    """Return how many rows the first partition has, given the bytes of rows; 0 where more belong to it."""
    rows = min(len(sizes), source.partition_size)
    fitting = int(np.searchsorted(np.cumsum(sizes[:rows]), source.partition_bytes, side="right"))
    if fitting < rows:
        return max(1, fitting)
    return rows if rows == source.partition_size else 0


def _sizes(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return int64[n]: bytes of texts in each row."""
    total = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        if pa.types.is_string(column.type):
            total += pc.fill_null(pc.binary_length(column), 0).to_numpy()
    return total


def _fit(table: pa.Table, schema: pa.Schema) -> pa.Table:
    if FAILED.name not in table.column_names:
        table = table.append_column(FAILED, pa.nulls(table.num_rows, FAILED.type))
    return table.select(schema.names).cast(schema)


def _identities(source: Source, table: pa.Table) -> Iterator[tuple[str | None, ...]]:
    return zip(*(table[c].to_pylist() for c in source.key_columns()), strict=True)


def _with_keys(source: Source, table: pa.Table, secret: bytes) -> pa.Table:
    keys = pa.array([sample_key(identity, secret) for identity in _identities(source, table)], pa.string())
    rows = pa.array(range(table.num_rows), pa.int32())
    return table.add_column(0, "key", keys).add_column(0, "row", rows)
