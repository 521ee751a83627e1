"""Reduce stages: small columns meet by hash range, are judged together, and verdicts return to their partitions.

Each partition writes one Arrow file with a batch for each hash range; judging a range reads that batch of every
partition and writes one file with a batch for each partition. Memory holds one range, whatever the corpus.
"""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import IntegrityError
from curate.ledger import part_name
from curate.plan import Step
from curate.run.columns import align
from curate.run.flow import Flow
from curate.run.job import Job
from curate.run.parts import read_batch, write_batches
from curate.stage import Reduce
from curate.storage import Folder

VERDICTS = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("survivor", pa.string(), nullable=False),
    ]
)
_JUDGED = b"judged"
_PLACE = 32
"""`order` is the partition in the high bits and the row in the low 32."""


def _stage(step: Step) -> Reduce:
    if not isinstance(step.stage, Reduce):
        raise TypeError(step.name)
    return step.stage


def _folder(job: Job, step: Step) -> Folder:
    return job.run.work / step.folder


def write_map(job: Job, step: Step, flow: Flow) -> None:
    """Write what a Reduce needs of the rows that leave a phase, one batch for each hash range."""
    stage = _stage(step)
    living = flow.living
    names = list(dict.fromkeys(["row", "key", *stage.inputs()]))
    table = flow.take(names, living).combine_chunks()
    order = (np.int64(flow.partition) << _PLACE) | table["row"].to_numpy().astype(np.int64)
    table = table.append_column("order", pa.array(order))
    hashed = table[stage.shuffle_by]
    if hashed.null_count:
        raise IntegrityError(
            f"{step.name}: '{stage.shuffle_by}' is null in partition {flow.partition}; nulls are no group"
        )
    bucket = _buckets(hashed, job.buckets)
    batches = []
    for b in range(job.buckets):
        part = table.filter(pa.array(bucket == b)).combine_chunks()
        batches.append(pa.RecordBatch.from_arrays([c.combine_chunks() for c in part.columns], schema=table.schema))
    with _folder(job, step).writing(f"map-{part_name(flow.partition)}.arrow") as local:
        write_batches(str(local), table.schema, batches)


def _buckets(hashed: pa.ChunkedArray, count: int) -> np.ndarray:
    if count == 1:
        return np.zeros(len(hashed), dtype=np.int64)
    head = [int(h, 16) for h in pc.utf8_slice_codeunits(hashed, 0, 8).to_pylist()]
    return np.array(head, dtype=np.int64) * count >> _PLACE


def judge(job: Job, step: Step, bucket: int) -> int:
    """Judge one hash range of the whole corpus, unless that was done; return how many rows were judged."""
    stage, folder = _stage(step), _folder(job, step)
    if folder.exists(verdict_file(bucket)):
        with folder.open_native(verdict_file(bucket)) as stored:
            return int(pa.ipc.open_file(stored).schema.metadata[_JUDGED])
    parts = [read_batch(folder, f"map-{part_name(i)}.arrow", bucket) for i in range(job.partitions)]
    table = pa.Table.from_batches(parts).sort_by([(stage.shuffle_by, "ascending"), ("order", "ascending")])
    verdicts = stage.open()(table)
    judged = pa.table(
        {"order": table["order"], "row": table["row"], "key": table["key"],
         "reason": verdicts.dropped, "survivor": verdicts.survivor}
    )  # fmt: skip
    lost = judged.filter(pc.is_valid(judged["reason"])).sort_by("order")
    partition = lost["order"].to_numpy() >> _PLACE
    edges = np.searchsorted(partition, np.arange(job.partitions + 1))
    rows = lost.select(VERDICTS.names).cast(VERDICTS).combine_chunks()
    batches = [_batch(rows.slice(a, b - a)) for a, b in pairwise(edges)]
    with folder.writing(verdict_file(bucket)) as local:
        write_batches(str(local), VERDICTS.with_metadata({_JUDGED: str(table.num_rows)}), batches)
    return table.num_rows


def _batch(table: pa.Table) -> pa.RecordBatch:
    return next(iter(table.combine_chunks().to_batches()), pa.RecordBatch.from_pylist([], schema=VERDICTS))


def verdict_file(bucket: int) -> str:
    """Return the name of a hash range's verdicts."""
    return f"verdict-{bucket:05d}.arrow"


def dropped_by(job: Job, step: Step, partition: int, rows: pa.ChunkedArray) -> pa.Array:
    """Return string[n], why a Reduce dropped the rows at the given places of a partition, null where it did not."""
    folder = _folder(job, step)
    batches = [read_batch(folder, verdict_file(b), partition) for b in range(job.buckets)]
    verdicts = pa.Table.from_batches(batches).sort_by("row")
    return align(verdicts.select(["row", "reason"]), rows.combine_chunks())["reason"].combine_chunks()
