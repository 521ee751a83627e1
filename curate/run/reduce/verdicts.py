"""The last round of a Reduce: each range of nodes judges its rows, and the word returns to their partitions."""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import pyarrow as pa

from curate.plan import Step
from curate.reduce import Recurring
from curate.run.columns import align
from curate.run.job import Job
from curate.run.parts import read_batch
from curate.run.reduce.corpus import PLACE, corpus, reduce_of
from curate.run.reduce.election import ELECTED, elected_file
from curate.run.reduce.graph import Ids
from curate.run.reduce.ranks import among, best_of_many, ranked, verdict_file
from curate.run.reduce.shape import ROW_BYTES, shape_of
from curate.run.reduce.sketches import ROWS, failures, keys_of
from curate.run.reduce.spill import column, read_bucket, said, spilling, whole_batch
from curate.storage import Folder

VERDICTS = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("survivor", pa.string(), nullable=False),
    ]
)
REPEATS = pa.schema([pa.field("row", pa.int32(), nullable=False), pa.field("piece", pa.int32(), nullable=False)])
"""Of a `Recurring`: which pieces of which rows came before."""


def judge(job: Job, step: Step, folder: Folder, between: Folder, bucket: int, elections: int) -> int:
    """Judge the rows of a range of nodes, unless that was done; return how many rows of this run those are."""
    done = said(folder, verdict_file(bucket))
    if done is None:
        done = {"judged": _judge(job, step, folder, bucket, _winners(job, step, between, bucket, elections))}
    return int(done["judged"])


def _judge(job: Job, step: Step, folder: Folder, bucket: int, winners: pa.Table) -> int:
    parts, buckets, stage = corpus(job, step), shape_of(job, step).rows, reduce_of(step)
    pieces = isinstance(stage, Recurring)
    judged = 0
    with spilling(folder, verdict_file(bucket), REPEATS if pieces else VERDICTS) as spill:
        for part in parts[: job.partitions]:
            rows = pa.concat_tables([ROWS.empty_table(), *part.rows(bucket, buckets)]).combine_chunks()
            spill.add([whole_batch(_repeats(rows, winners) if pieces else _verdicts(rows, winners, stage.reason))])
            judged += 0 if pieces else rows.num_rows
            # Rows that nothing can be compared with, or that could not be sketched, are counted once.
            if bucket == 0:
                judged += (part.sketched() if pieces else part.apart()) + failures(part.folder, part.index).num_rows
        spill.said = {"judged": judged}
    return judged


def _winners(job: Job, step: Step, folder: Folder, bucket: int, elections: int) -> pa.Table:
    """Return the row that stands for each node of a range, ordered by node; of nodes of earlier runs only those met."""
    parts, buckets, stage = corpus(job, step), shape_of(job, step).rows, reduce_of(step)
    mine, earlier = parts[: job.partitions], parts[job.partitions :]
    met = None
    if earlier:
        met = np.unique(column((t for part in mine for t in part.rows(bucket, buckets)), "node", np.uint64))
    elected = pa.concat_tables([ELECTED.empty_table(), *_elected(folder, bucket, buckets, elections, met)])
    known = np.sort(elected["node"].to_numpy())
    given = chain(ranked(stage, mine, bucket, buckets), _met(ranked(stage, earlier, bucket, buckets), met))
    others = (t.filter(pa.array(~among(t["node"], known))) for t in given)
    alone = best_of_many(others, "node", job.memory_bytes // (ROW_BYTES * 4))
    columns = [alone[n] for n in ("node", "check", "high", "low", "order")]
    return pa.concat_tables([elected, pa.table(columns, schema=ELECTED)]).sort_by("node").combine_chunks()


def _elected(folder: Folder, bucket: int, buckets: int, elections: int, met: Ids | None) -> Iterator[pa.Table]:
    """Yield who was elected in a range of nodes, which is of one or more whole ranges of the elections."""
    files, each = [elected_file(b) for b in range(elections)], elections // buckets
    for part in range(bucket * each, (bucket + 1) * each):
        yield from _met(read_bucket(folder, files, part, elections), met)


def _met(tables: Iterable[pa.Table], met: Ids | None) -> Iterator[pa.Table]:
    for table in tables:
        yield table if met is None else table.filter(pa.array(among(table["node"], met)))


def _going(rows: pa.Table, winners: pa.Table, *by: str) -> tuple[pa.Table, pa.Table]:
    """Return the rows for whose node another stands, and those others; rows differ where one of `by` does."""
    at = np.searchsorted(winners["node"].to_numpy(), rows["node"].to_numpy())
    stands = winners.take(pa.array(at))
    other = np.zeros(rows.num_rows, bool)
    for name in by:
        other |= rows[name].to_numpy() != stands[f"winner_{name}"].to_numpy()
    # Rows whose 64-bit nodes are equal by accident differ in the other half of their hash: they stay.
    goes = pa.array(other & (rows["check"].to_numpy() == stands["check"].to_numpy()))
    return rows.filter(goes), stands.filter(goes)


def _verdicts(rows: pa.Table, winners: pa.Table, reason: str) -> pa.Table:
    """Return the rows that go, in their order."""
    rows, stands = _going(rows, winners, "order")
    by_row = pa.array(np.argsort(rows["order"].to_numpy()))
    keys = keys_of(rows["high"].to_numpy(), rows["low"].to_numpy()).take(by_row)
    survivors = keys_of(stands["winner_high"].to_numpy(), stands["winner_low"].to_numpy()).take(by_row)
    return pa.table([_row(rows).take(by_row), keys, pa.repeat(reason, len(keys)), survivors], schema=VERDICTS)


def _repeats(rows: pa.Table, winners: pa.Table) -> pa.Table:
    """Return the pieces that came before, in the order of rows and pieces."""
    rows, _ = _going(rows, winners, "order", "high")
    in_order = pa.array(np.lexsort((rows["high"].to_numpy(), rows["order"].to_numpy())))
    return pa.table([_row(rows), rows["high"].cast(pa.int32())], schema=REPEATS).take(in_order)


def _row(rows: pa.Table) -> pa.Array:
    return pa.array((rows["order"].to_numpy() & ((1 << PLACE) - 1)).astype(np.int32))


def repeated(job: Job, step: Step, partition: int, rows: pa.Array) -> pa.Array:
    """Return list<int32>[n]: which pieces of the given rows of a partition came earlier in the corpus."""
    told = _of_partition(job, step, partition).sort_by([("row", "ascending"), ("piece", "ascending")])
    place = np.searchsorted(rows.to_numpy(), told["row"].to_numpy())
    counts = np.bincount(place, minlength=len(rows))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), told["piece"].combine_chunks())


def _of_partition(job: Job, step: Step, partition: int) -> pa.Table:
    folder, buckets = job.run.work / step.verdicts, shape_of(job, step).rows
    return pa.Table.from_batches([read_batch(folder, verdict_file(b), partition) for b in range(buckets)])


def judged_by(job: Job, step: Step, partition: int, rows: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return string[n] twice, of the given rows of a partition: why they failed, and why they were dropped."""
    failed = align(failures(job.run.work / step.folder, partition), rows)["failed"].combine_chunks()
    if isinstance(step.stage, Recurring):
        return failed, pa.nulls(len(rows), pa.string())
    verdicts = _of_partition(job, step, partition).sort_by("row")
    return failed, align(verdicts.select(["row", "reason"]), rows)["reason"].combine_chunks()
