"""What readers see: the ledger, then the shards.

Shards are planned when every verdict is known, so each holds exactly the asked number of samples, in plan order.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.ledger import FOLDER as LEDGER_FOLDER
from curate.ledger import KEPT, LEDGER, part_name, without_erased
from curate.plan import Step
from curate.run.columns import check_decided, load_columns
from curate.run.flow import EVENTS, PASSED
from curate.run.job import Job
from curate.run.layout import MANIFEST
from curate.run.parts import read_table, write_table
from curate.shards import Manifest, ShardEntry, erased_keys, keep_current, write_shard
from curate.shards.index import index_name
from curate.stage import Filter, Member
from curate.storage import Folder

SHARDS, SCORES = "shards", "scores"


@dataclass(frozen=True)
class Written:
    """What publishing the ledger of a partition told."""

    partition: int
    kept: int
    erased: int
    """Came through every stage and were erased since."""


@dataclass(frozen=True)
class Piece:
    """Survivors `start` (in) to `stop` (out) of a partition, counted among its survivors."""

    partition: int
    start: int
    stop: int


def plan_shards(kept: Sequence[int], per_shard: int) -> list[list[Piece]]:
    """Cut the corpus, given the survivors of each partition, into shards of `per_shard` samples."""
    shards: list[list[Piece]] = []
    room = 0
    for partition, count in enumerate(kept):
        start = 0
        while start < count:
            if room == 0:
                shards.append([])
                room = per_shard
            stop = min(count, start + room)
            shards[-1].append(Piece(partition, start, stop))
            room -= stop - start
            start = stop
    return shards


def shard_name(shard: int) -> str:
    """Return the file name of a shard."""
    return f"{shard:05d}.tar"


def _marks(job: Job) -> str:
    """Return where shards that were written are marked: by plan, and by what was erased, which is in none of them."""
    erased = erased_keys(job.run.folder).to_pylist()
    without = "-" + hashlib.sha256("\n".join(sorted(erased)).encode()).hexdigest()[:16] if erased else ""
    return f"{SHARDS}/{job.plan.fingerprint[:16]}{without}"


def prepare(job: Job) -> None:
    """Clear what another plan published here: a manifest never stands beside shards that are not its own."""
    keep_current(job.run.folder)
    job.run.folder.delete(MANIFEST)
    mine = _marks(job)
    for other in job.run.work.names(SHARDS):
        if f"{SHARDS}/{other}" != mine:
            job.run.work.delete(f"{SHARDS}/{other}")


def publish_ledger(job: Job, partition: int) -> Written:
    """Write what happened to each sample of a partition in all phases, one fate a sample.

    Every plan writes its own, though a partition's decisions may be stored from before: another plan's stood between.
    """
    name = part_name(partition) + ".parquet"
    *earlier, last = (read_table(job.run.work / p.folder, name) for p in job.plan.phases)
    earlier = [h.filter(pc.not_equal(h["event"], PASSED)) for h in earlier]
    passed = pc.equal(last["event"], PASSED)
    names = last.column_names
    last = last.set_column(names.index("event"), "event", pc.if_else(passed, KEPT, last["event"]))
    stage = pc.if_else(passed, job.plan.recipe.sink.name, last["stage"])
    last = last.set_column(names.index("stage"), "stage", stage)
    rows = pa.concat_tables([h.replace_schema_metadata().cast(EVENTS) for h in (*earlier, last)])
    rows = without_erased(rows, erased_keys(job.run.folder))
    ordered = rows.take(pa.array(np.argsort(rows["row"].to_numpy(), kind="stable")))
    write_table(job.run.folder / LEDGER_FOLDER, name, ordered.select(LEDGER.names))
    kept = pc.sum(pc.equal(rows["event"], KEPT)).as_py() or 0
    return Written(partition, kept, (pc.sum(passed).as_py() or 0) - kept)


def publish_shard(job: Job, shard: int, pieces: Sequence[Piece]) -> ShardEntry:
    """Write one shard, or return it where this plan wrote it before."""
    mark = f"{_marks(job)}/{shard:05d}.json"
    if job.run.work.exists(mark):
        entry = ShardEntry(**json.loads(job.run.work.read(mark)))
        if not missing_files(job.run.folder, [entry]):
            return entry
    entry = write_shard(job.run.folder / SHARDS, shard_name(shard), _samples(job, pieces))
    job.run.work.write(mark, json.dumps(asdict(entry)).encode())
    return entry


def missing_files(run: Folder, entries: Sequence[ShardEntry]) -> list[str]:
    """Return the shards and indexes that are named and not there."""
    there = set(run.names(SHARDS))
    named = [name for e in entries for name in (e.name, index_name(e.name))]
    return [name for name in named if name not in there]


def _samples(job: Job, pieces: Sequence[Piece]) -> Iterator[tuple[str, list[Member]]]:
    pack = job.plan.recipe.sink.open()
    for piece in pieces:
        yield from pack(survivors(job, piece))


def survivors(job: Job, piece: Piece) -> pa.Table:
    """Read every column of a piece's samples as the last stage left them."""
    last = job.plan.phases[-1]
    history = read_table(job.run.work / last.folder, part_name(piece.partition) + ".parquet", ["row", "key", "event"])
    erased = pc.is_in(history["key"], value_set=erased_keys(job.run.folder))
    passed = history.filter(pc.and_not(pc.equal(history["event"], PASSED), erased))
    passed = passed.slice(piece.start, piece.stop - piece.start)
    steps = tuple(s for p in job.plan.phases for s in p.steps)
    written = [f.name for f in job.plan.recipe.source.outputs()] + [f.name for s in steps for f in s.stage.outputs()]
    names = list(dict.fromkeys(n for n in written if n != "key"))
    rows = passed["row"].combine_chunks()
    check_decided(job, piece.partition, steps, rows)
    columns = _labelled(load_columns(job, piece.partition, names, steps, rows), steps)
    return columns.add_column(0, "key", passed["key"])


def _labelled(columns: pa.Table, steps: Sequence[Step]) -> pa.Table:
    """Add what thresholds say of each sample beyond staying."""
    for stage in (s.stage for s in steps if isinstance(s.stage, Filter) and s.stage.labels):
        scores = columns.select([f.name for f in stage.outputs()]).combine_chunks()
        for field, label in zip(stage.labels, stage.label(scores), strict=True):
            columns = columns.append_column(field, label)
    return columns


def finish(job: Job, entries: Sequence[ShardEntry]) -> Manifest:
    """Remove shards of an earlier, longer version and publish the manifest: from then on readers see these shards."""
    named = {e.name.removesuffix(".tar") for e in entries}
    for name in job.run.folder.names(SHARDS):
        if name.rsplit(".", 1)[0] not in named:
            job.run.folder.delete(f"{SHARDS}/{name}")
    for folder in (SHARDS, LEDGER_FOLDER, SCORES):
        job.run.folder.sweep(folder)
    manifest = Manifest(job.plan.recipe.name, tuple(entries))
    manifest.save(job.run.folder)
    return manifest
