"""Listing a source once: partition i is fixed here, for every stage and every later run in this directory.

The secret that keys the samples' names comes from CURATE_KEY_SECRET, which keeps a sample's key the same in every list
it stands in; without it, from the whole list itself, so that equal input gives equal bytes. It is stored nowhere.
"""

import hashlib
import json
import os
from collections.abc import Iterator

import pyarrow as pa

from curate.errors import InputError
from curate.ledger import part_name
from curate.run.layout import Run, read_json
from curate.run.opened import FAILED
from curate.run.parts import write_table
from curate.sample import sample_key
from curate.stage import Source

FOLDER, DONE = "source", "source/done.json"


def listed(run: Run) -> dict[str, int] | None:
    """Return how many rows and partitions the source has, or None where it was not listed to the end."""
    if not run.work.exists(DONE):
        return None
    return read_json(run.work, DONE)


def list_source(source: Source, run: Run) -> dict[str, int]:
    """Write the source's rows to `work/source`, `partition_size` in each file; memory holds two partitions.

    Raises:
        InputError: the source cannot be read, or lists nothing.
    """
    done = listed(run)
    if done is not None:
        return done
    folder = run.work / FOLDER
    secret = _secret(source)
    rows = partitions = 0
    for partitions, table in enumerate(_partitions(source), start=1):
        write_table(folder, part_name(partitions - 1) + ".parquet", _with_keys(source, table, secret))
        rows += table.num_rows
    if rows == 0:
        raise InputError(f"{source.name}: the input lists no samples")
    counts = {"rows": rows, "partitions": partitions}
    run.work.write(DONE, json.dumps(counts).encode())
    return counts


def _partitions(source: Source) -> Iterator[pa.Table]:
    schema = pa.schema([*source.outputs(), FAILED])
    waiting = schema.empty_table()
    for table in source.scan():
        waiting = pa.concat_tables([waiting, _fit(table, schema)])
        while waiting.num_rows >= source.partition_size:
            yield waiting.slice(0, source.partition_size)
            waiting = waiting.slice(source.partition_size).combine_chunks()
    if waiting.num_rows:
        yield waiting


def _fit(table: pa.Table, schema: pa.Schema) -> pa.Table:
    if FAILED.name not in table.column_names:
        table = table.append_column(FAILED, pa.nulls(table.num_rows, FAILED.type))
    return table.select(schema.names).cast(schema)


def _secret(source: Source) -> bytes:
    given = os.environ.get("CURATE_KEY_SECRET")
    if given:
        return hashlib.blake2b(given.encode()).digest()
    whole = hashlib.blake2b()
    for table in source.scan():
        for identity in _identities(source, table):
            whole.update(sample_key(identity).encode())
    return whole.digest()


def _identities(source: Source, table: pa.Table) -> Iterator[tuple[str | None, ...]]:
    return zip(*(table[c].to_pylist() for c in source.key_columns()), strict=True)


def _with_keys(source: Source, table: pa.Table, secret: bytes) -> pa.Table:
    keys = pa.array([sample_key(identity, secret) for identity in _identities(source, table)], pa.string())
    rows = pa.array(range(table.num_rows), pa.int32())
    return table.add_column(0, "key", keys).add_column(0, "row", rows)
