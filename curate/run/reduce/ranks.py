"""A row's rank in its cluster: the same wherever and in whatever order rows are judged.

Rows that earlier runs kept come first, then those they dropped; then what `keep` says, then the key.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.reduce import Reduce
from curate.run.parts import read_batch
from curate.run.reduce.corpus import PLACE, Part

KEPT_EARLIER, DROPPED_EARLIER, NEW = 0, 1, 2
RANKED = pa.schema(
    [
        pa.field("node", pa.uint64(), nullable=False),
        pa.field("check", pa.uint64(), nullable=False),
        pa.field("tier", pa.int8(), nullable=False),
        pa.field("measure", pa.float64(), nullable=False),  # smaller is better
        pa.field("high", pa.uint64(), nullable=False),
        pa.field("low", pa.uint64(), nullable=False),
        pa.field("order", pa.int64(), nullable=False),
    ]
)
BY_RANK = ("tier", "measure", "high", "low", "order")


def ranked(stage: Reduce, parts: Iterable[Part], bucket: int, buckets: int) -> Iterator[pa.Table]:
    """Yield the rows of a range of nodes with their ranks, a batch at a time."""
    for part in parts:
        gone = _dropped_rows(part, bucket, buckets) if part.earlier else None
        for table in part.rows(bucket, buckets):
            yield _ranked(stage, table, gone)


def _ranked(stage: Reduce, table: pa.Table, gone: NDArray[np.int64] | None) -> pa.Table:
    order = table["order"].to_numpy()
    tier = np.full(len(order), NEW, np.int8)
    if gone is not None:
        tier[:] = np.where(np.isin(order & ((1 << PLACE) - 1), gone), DROPPED_EARLIER, KEPT_EARLIER)
    columns = {"tier": tier, "measure": _measure(stage, table)} | {
        n: table[n] for n in ("node", "check", "high", "low", "order")
    }
    return pa.table([columns[f.name] for f in RANKED], schema=RANKED)


def _measure(stage: Reduce, table: pa.Table) -> NDArray[np.float64]:
    if stage.keep == "first":
        return table["order"].to_numpy().astype(np.float64)  # exact: an order is below 2^53
    if stage.keep == "smallest_key":
        return np.zeros(table.num_rows)
    score = table["score"].to_numpy()
    return np.where(np.isnan(score), np.inf, -score if stage.keep == "highest" else score)


def _dropped_rows(part: Part, bucket: int, buckets: int) -> NDArray[np.int64]:
    """Return the rows of an earlier run's partition that it dropped, of the hash ranges that a bucket touches."""
    if part.verdicts is None:
        return np.empty(0, np.int64)
    own = part.shape.rows
    found = [
        read_batch(part.verdicts, verdict_file(other), int(part.name.rpartition("-")[2]))["row"].to_numpy()
        for other in range(bucket * own // buckets, -(-(bucket + 1) * own // buckets))
    ]
    return np.concatenate(found).astype(np.int64)


def verdict_file(bucket: int) -> str:
    """Return the name of a hash range's verdicts."""
    return f"verdict-{bucket:05d}.arrow"


def best(table: pa.Table, by: str) -> pa.Table:
    """Return the row of best rank of each value of a column, ordered by it."""
    columns = [table[name].to_numpy() for name in (by, *BY_RANK)]
    order = np.lexsort(columns[::-1])
    values = columns[0][order]
    new = np.ones(len(order), bool)
    new[1:] = values[1:] != values[:-1]
    return table.take(pa.array(order[new]))


def best_of_many(tables: Iterable[pa.Table], by: str, most: int) -> pa.Table:
    """Return what `best` would of all tables together, never holding many more than `most` rows that were not best."""
    held, rows = [RANKED.empty_table()], 0
    for table in tables:
        held.append(table)
        rows += table.num_rows
        if rows > most:
            held, rows = [best(pa.concat_tables(held), by)], 0
    return best(pa.concat_tables(held), by).combine_chunks()


def among(values: pa.ChunkedArray, wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return bool[n]: the value is one of the wanted ones, which are sorted."""
    # Not `pc.is_in`: it would hash the wanted ones anew for each of many small tables.
    looked = values.to_numpy()
    if not len(wanted):
        return np.zeros(len(looked), bool)
    at = np.minimum(np.searchsorted(wanted, looked), len(wanted) - 1)
    return np.asarray(wanted[at] == looked, bool)
