"""Listing a source once: partition i is fixed here, for every stage and every later run in this directory."""

import json
from collections.abc import Iterator

import pyarrow as pa

from curate.errors import InputError
from curate.ledger import part_name
from curate.run.layout import Run
from curate.run.opened import FAILED
from curate.run.parts import write_table
from curate.sample import sample_key
from curate.stage import Source

FOLDER, DONE = "source", "source/done.json"


def listed(run: Run) -> dict[str, int] | None:
    """Return how many rows and partitions the source has, or None where it was not listed to the end."""
    if not run.work.exists(DONE):
        return None
    counts: dict[str, int] = json.loads(run.work.read(DONE))
    return counts


def list_source(source: Source, run: Run) -> dict[str, int]:
    """Write the source's rows to `work/source`, `partition_size` in each file; memory holds two partitions.

    Raises:
        InputError: the source cannot be read, or lists nothing.
    """
    done = listed(run)
    if done is not None:
        return done
    folder = run.work / FOLDER
    rows = partitions = 0
    for partitions, table in enumerate(_partitions(source), start=1):
        write_table(folder, part_name(partitions - 1) + ".parquet", _with_keys(source, table))
        rows += table.num_rows
    if rows == 0:
        raise InputError(f"{source.name}: the input lists no samples")
    counts = {"rows": rows, "partitions": partitions}
    run.work.write(DONE, json.dumps(counts).encode())
    return counts


def _partitions(source: Source) -> Iterator[pa.Table]:
    schema = pa.schema([*source.writes, FAILED])
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


def _with_keys(source: Source, table: pa.Table) -> pa.Table:
    identities = zip(*(table[c].to_pylist() for c in source.key_columns()), strict=True)
    keys = pa.array([sample_key(identity) for identity in identities], pa.string())
    rows = pa.array(range(table.num_rows), pa.int32())
    return table.add_column(0, "key", keys).add_column(0, "row", rows)
