"""Carrying one partition through one phase: read what is stored, measure only what is missing, decide, commit."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.ledger import part_name
from curate.plan import Phase, Step
from curate.reduce import Recurring
from curate.run.books import Books
from curate.run.columns import align, load_columns, read_source, results_at
from curate.run.flow import EVENTS, PASSED, Flow
from curate.run.job import Job
from curate.run.opened import DROPPED, FAILED, FINDING, FOUND, Measure, flat, result_schema
from curate.run.parts import read_table, reading, write_table
from curate.run.reduce import judged_by, repeated, write_sketch
from curate.sample import is_media
from curate.shards import reason_where_erased
from curate.stage import Filter
from curate.storage import Folder

_log = logging.getLogger(__name__)
Opener = Callable[[Step], Measure]


@dataclass(frozen=True)
class Commit:
    """What the driver learns of a partition: counts, never samples."""

    partition: int
    books: Books
    kept: int
    seconds: dict[str, float]
    fresh: bool
    """Whether work was done now; False where it had been committed before."""


def begin(job: Job, phase: Phase, partition: int) -> Flow | Commit:
    """Read who enters the phase; or return the commit of a partition that is done."""
    done = committed(job, phase, partition)
    if done is not None:
        return done
    before = job.phase_before(phase)
    if before is None:
        return _listed(job, partition)
    history = _history(job, before, partition)
    survivors = history.filter(pc.equal(history["event"], PASSED)).select(["row", "key"])
    flow = Flow.of(partition, survivors.combine_chunks())
    if before.reduce is not None:
        failed, judged = judged_by(job, before.reduce, partition, flat(flow.rows["row"]))
        # Decided on before it was erased: it goes no further than here.
        reasons = pc.coalesce(reason_where_erased(job.run.folder, flow.rows["key"]), judged)
        flow.settle(before.reduce.name, failed, reasons, pa.nulls(flow.rows.num_rows, pa.float32()))
        if isinstance(before.reduce.stage, Recurring):
            found = repeated(job, before.reduce, partition, flat(flow.rows["row"]))
            flow.attach(before.reduce.stage.outputs()[0].name, found)
    return flow


def _listed(job: Job, partition: int) -> Flow:
    table = read_source(job, partition, ["row", "key", FAILED.name])
    flow = Flow.of(partition, table.select(["row", "key"]))
    erased = reason_where_erased(job.run.folder, table["key"])
    flow.settle(job.plan.recipe.source.name, table[FAILED.name], erased, pa.nulls(table.num_rows, pa.float32()))
    return flow


def advance(job: Job, phase: Phase, segment: int, flow: Flow, opener: Opener) -> Flow:
    """Take a partition through one segment of a phase; results are stored as each stage ends."""
    for step in phase.segments[segment]:
        started = time.perf_counter()
        results = _results(job, phase, step, flow, opener)
        _settle(step, results, flow)
        flow.seconds[step.name] = time.perf_counter() - started
        _log.info("partition %d %s %s", flow.partition, step.name, flow.books[step.name].to_json())
    _forget_media(phase, segment, flow)
    return flow


def _results(job: Job, phase: Phase, step: Step, flow: Flow, opener: Opener) -> pa.Table:
    """Return the step's small result columns for the living rows, measuring those not stored yet."""
    folder, file = results_at(job, step, flow.partition)
    living = flow.living
    rows = flow.rows["row"].to_numpy()[living]
    schema = [f.name for f in step.stage.outputs()]
    light = ["row", *(n for n in schema if not is_media(step.stage.outputs()[schema.index(n)])), FAILED.name]
    light += [] if isinstance(step.stage, Filter) else [DROPPED.name, FOUND.name]
    stored = read_table(folder, file, light) if folder.exists(file) else None
    missing = living if stored is None else living[~np.isin(rows, stored["row"].to_numpy())]
    flow.forget(schema)
    if stored is not None and len(missing) == 0:
        return align(stored, pa.array(rows))
    fresh = _measure(job, phase, step, flow, missing, opener(step)) if len(missing) else _nothing(step)
    whole = _store(folder, file, fresh)
    _attach(step, flow, whole)
    return align(whole.select(light), pa.array(rows))


def _store(folder: Folder, file: str, fresh: pa.Table) -> pa.Table:
    """Add rows to a step's results and return all of them; a row that is stored by now stays as it is.

    A worker can outlive its killed driver for seconds: what it measures late must not replace what was decided on.
    """
    stored = read_table(folder, file) if folder.exists(file) else None
    if stored is None:
        write_table(folder, file, fresh)
        return fresh
    new = fresh.filter(pc.invert(pc.is_in(fresh["row"], stored["row"].combine_chunks())))
    whole = _merged(stored, new)
    if new.num_rows:
        write_table(folder, file, whole)
    return whole


def _nothing(step: Step) -> pa.Table:
    identity = [EVENTS.field("row"), EVENTS.field("key")]
    return pa.schema([*identity, *result_schema(step.stage)]).empty_table()


def _measure(
    job: Job, phase: Phase, step: Step, flow: Flow, positions: npt.NDArray[np.intp], measure: Measure
) -> pa.Table:
    """Run the stage on some rows; return its results with `row` and `key`."""
    ensure(job, phase, step, flow)
    given = flow.take(step.stage.inputs(), positions)
    identity = flow.rows.select(["row", "key"]).take(pa.array(positions))
    result = measure(given)
    return pa.table({"row": identity["row"], "key": identity["key"]} | {n: result[n] for n in result.column_names})


def ensure(job: Job, phase: Phase, step: Step | None, flow: Flow, names: tuple[str, ...] = ()) -> None:
    """Have the columns that a step reads (or `names`, at the phase's end) in memory."""
    wanted = tuple(step.stage.inputs()) if step is not None else names
    absent = [n for n in wanted if n not in flow.rows.column_names]
    if absent:
        here = phase.steps[: phase.steps.index(step)] if step is not None else phase.steps
        loaded = load_columns(
            job, flow.partition, absent, (*job.steps_before(phase), *here), flow.rows["row"].combine_chunks()
        )
        for name in absent:
            flow.attach(name, loaded[name])


def _merged(old: pa.Table, new: pa.Table) -> pa.Table:
    both = pa.concat_tables([old, new.select(old.column_names).cast(old.schema)])
    return both.take(pa.array(np.argsort(both["row"].to_numpy(), kind="stable"))).combine_chunks()


def _attach(step: Step, flow: Flow, whole: pa.Table) -> None:
    """Keep fresh results in memory for the stages behind, so that nothing is read twice."""
    aligned = align(whole, flow.rows["row"].combine_chunks())
    for field in step.stage.outputs():
        flow.attach(field.name, aligned[field.name])


def _settle(step: Step, results: pa.Table, flow: Flow) -> None:
    stage = step.stage
    none = pa.nulls(results.num_rows, pa.string())
    score = pa.nulls(results.num_rows, pa.float32())
    dropped = none
    if isinstance(stage, Filter):
        scores = results.select([f.name for f in stage.outputs()]).combine_chunks()
        dropped = stage.decide(scores)
        score = _first_number(scores, score)
        _note_labels(step.name, stage, scores, flow, flat(dropped))
    else:
        dropped = results[DROPPED.name]
        _note_findings(step, results, flow)
    flow.settle(step.name, results[FAILED.name], dropped, score)


def _first_number(scores: pa.Table, otherwise: pa.Array) -> pa.Array:
    for column in scores.columns:
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return column.cast(pa.float32())
    return otherwise


def _note_labels(name: str, stage: Filter, scores: pa.Table, flow: Flow, dropped: pa.Array) -> None:
    """Write down the labels of those that stay, with the first number measured."""
    score = _first_number(scores, pa.nulls(scores.num_rows, pa.float32()))
    for label in stage.label(scores):
        hit = pc.and_(label.is_valid(), dropped.is_null())
        if hit.true_count:
            positions = flow.living[hit.to_numpy(zero_copy_only=False)]
            flow.note(name, "labelled", positions, {"reason": label.filter(hit), "score": flat(score).filter(hit)})


def _note_findings(step: Step, results: pa.Table, flow: Flow) -> None:
    lists = results[FOUND.name].combine_chunks()
    found = pc.list_flatten(lists)
    if len(found):
        positions = flow.living[pc.list_parent_indices(lists).to_numpy()]
        flow.note(step.name, "edited", positions, dict(zip(FINDING.names, found.flatten(), strict=True)))


def _forget_media(phase: Phase, segment: int, flow: Flow) -> None:
    """Let go of pictures that no later stage of this phase reads, before the rows travel on."""
    later = {n for steps in phase.segments[segment + 1 :] for s in steps for n in s.stage.inputs()}
    flow.forget([f.name for f in flow.rows.schema if is_media(f) and f.name not in later])


def pass_on(job: Job, phase: Phase, partition: int) -> Commit:
    """Take a partition through a phase that has no stages before its Reduce or its end."""
    flow = begin(job, phase, partition)
    return flow if isinstance(flow, Commit) else commit(job, phase, flow)


def commit(job: Job, phase: Phase, flow: Flow) -> Commit:
    """Store the phase's decisions on a partition; its history file, written last, is the commit."""
    if phase.reduce is not None:
        ensure(job, phase, None, flow, tuple(c for c in phase.reduce.stage.inputs() if c != "key"))
        write_sketch(job, phase.reduce, flow)
    history = flow.history()
    kept = int(flow.alive.sum())
    facts = {"books": flow.books.to_json(), "kept": kept, "seconds": flow.seconds}
    stamped = history.replace_schema_metadata({"commit": json.dumps(facts)})
    write_table(job.run.work / phase.folder, part_name(flow.partition) + ".parquet", stamped)
    return Commit(flow.partition, flow.books, kept, flow.seconds, fresh=True)


def committed(job: Job, phase: Phase, partition: int) -> Commit | None:
    """Return the commit of a partition, or None where it has none."""
    folder, name = job.run.work / phase.folder, part_name(partition) + ".parquet"
    if not folder.exists(name):
        return None
    with reading(folder, name), folder.open_native(name) as stream:
        facts: dict[str, Any] = json.loads(pq.read_schema(stream).metadata[b"commit"])
    return Commit(partition, Books.from_json(facts["books"]), facts["kept"], facts["seconds"], fresh=False)


def _history(job: Job, phase: Phase, partition: int) -> pa.Table:
    return read_table(job.run.work / phase.folder, part_name(partition) + ".parquet")
