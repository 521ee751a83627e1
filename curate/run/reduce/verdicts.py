"""The last round of a Reduce: each range of nodes judges its rows, and the word returns to their partitions."""

import numpy as np
import pyarrow as pa

from curate.plan import Step
from curate.run.columns import align
from curate.run.job import Job
from curate.run.parts import read_batch
from curate.run.reduce.corpus import PLACE, corpus, reduce_of
from curate.run.reduce.election import ELECTED, elected_file
from curate.run.reduce.ranks import among, best_of_many, ranked, verdict_file
from curate.run.reduce.shape import ROW_BYTES, shape_of
from curate.run.reduce.sketches import ROWS, failures, keys_of
from curate.run.reduce.spill import read_bucket, said, spilling, whole_batch
from curate.storage import Folder

VERDICTS = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("survivor", pa.string(), nullable=False),
    ]
)


def judge(job: Job, step: Step, folder: Folder, between: Folder, bucket: int, elections: int) -> int:
    """Judge the rows of a range of nodes, unless that was done; return how many rows of this run those are."""
    done = said(folder, verdict_file(bucket))
    if done is None:
        done = {"judged": _judge(job, step, folder, bucket, _winners(job, step, between, bucket, elections))}
    return int(done["judged"])


def _judge(job: Job, step: Step, folder: Folder, bucket: int, winners: pa.Table) -> int:
    parts, buckets, stage = corpus(job, step), shape_of(job, step).rows, reduce_of(step)
    judged = 0
    with spilling(folder, verdict_file(bucket), VERDICTS) as spill:
        for part in parts[: job.partitions]:
            rows = pa.concat_tables([ROWS.empty_table(), *part.rows(bucket, buckets)]).combine_chunks()
            spill.add([whole_batch(_verdicts(rows, winners, stage.reason))])
            # Rows that nothing can be compared with, or that could not be sketched, are counted once.
            judged += rows.num_rows + (part.apart() + failures(part.folder, part.index).num_rows if bucket == 0 else 0)
        spill.said = {"judged": judged}
    return judged


def _winners(job: Job, step: Step, folder: Folder, bucket: int, elections: int) -> pa.Table:
    """Return the row that stands for each node of a range, ordered by node."""
    parts, buckets = corpus(job, step), shape_of(job, step).rows
    files = [elected_file(b) for b in range(elections)]
    elected = pa.concat_tables([ELECTED.empty_table(), *read_bucket(folder, files, bucket, buckets)])
    known = np.sort(elected["node"].to_numpy())
    others = (t.filter(pa.array(~among(t["node"], known))) for t in ranked(reduce_of(step), parts, bucket, buckets))
    alone = best_of_many(others, "node", job.memory_bytes // (ROW_BYTES * 4))
    columns = [alone[n] for n in ("node", "check", "high", "low", "order")]
    return pa.concat_tables([elected, pa.table(columns, schema=ELECTED)]).sort_by("node").combine_chunks()


def _verdicts(rows: pa.Table, winners: pa.Table, reason: str) -> pa.Table:
    """Return the rows that go: those for whose node another row stands."""
    at = np.searchsorted(winners["node"].to_numpy(), rows["node"].to_numpy())
    stands = winners.take(pa.array(at))
    order = rows["order"].to_numpy()
    other = order != stands["winner_order"].to_numpy()
    # Rows whose 64-bit nodes are equal by accident differ in the other half of their hash: they stay.
    goes = other & (rows["check"].to_numpy() == stands["check"].to_numpy())
    rows, stands, order = rows.filter(pa.array(goes)), stands.filter(pa.array(goes)), order[goes]
    by_row = np.argsort(order)
    keys = keys_of(rows["high"].to_numpy(), rows["low"].to_numpy()).take(pa.array(by_row))
    survivors = keys_of(stands["winner_high"].to_numpy(), stands["winner_low"].to_numpy()).take(pa.array(by_row))
    place = pa.array((order & ((1 << PLACE) - 1)).astype(np.int32)[by_row])
    return pa.table([place, keys, pa.repeat(reason, len(place)), survivors], schema=VERDICTS)


def judged_by(job: Job, step: Step, partition: int, rows: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return string[n] twice, of the given rows of a partition: why they failed, and why they were dropped."""
    folder = job.run.work / step.verdicts
    buckets = shape_of(job, step).rows
    batches = [read_batch(folder, verdict_file(b), partition) for b in range(buckets)]
    verdicts = pa.Table.from_batches(batches).sort_by("row")
    dropped = align(verdicts.select(["row", "reason"]), rows)["reason"].combine_chunks()
    failed = align(failures(job.run.work / step.folder, partition), rows)["failed"].combine_chunks()
    return failed, dropped
