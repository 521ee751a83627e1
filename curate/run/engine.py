"""From a recipe to published shards: list, carry out each phase, judge, publish, close the books."""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from curate.errors import IntegrityError
from curate.ledger import part_name
from curate.plan import Phase, Plan, make_plan
from curate.recipe import Recipe
from curate.reduce import Reduce
from curate.run.books import Books, StageBooks, check_balance, check_budget
from curate.run.ingest import list_source, listed
from curate.run.job import Job
from curate.run.layout import BOOKS, MANIFEST, Run, read_json
from curate.run.lock import locked
from curate.run.partition import Commit, committed, pass_on
from curate.run.publish import finish, missing_files, plan_shards, prepare, publish_ledger, publish_shard, shard_name
from curate.run.reduce import carry_out, check_earlier
from curate.shards import Manifest, ShardEntry
from curate.shards.tombstones import ERASED

Result = TypeVar("Result")
Report = Callable[[dict[str, Any]], None]
_READERS = 16
"""Small files read at the same time: on an object store each takes tens of milliseconds of waiting."""


class Runner(Protocol):
    """Who carries out a phase: this process or a cluster. The bytes are the same."""

    def carry(self, job: Job, phase: Phase, partitions: Iterable[int]) -> Iterator[Commit]:
        """Take partitions through a phase."""

    def each(self, task: Callable[..., Result], items: Iterable[tuple[object, ...]]) -> Iterator[Result]:
        """Call `task(*item)` for each item."""

    def close(self) -> None:
        """Let go of everything."""


@dataclass(frozen=True)
class Finished:
    """A run that is complete."""

    plan: Plan
    books: Books
    manifest: Manifest
    rows: int


def execute(recipe: Recipe, run: Run, hire: Callable[[], Runner], report: Report) -> Finished:
    """Carry a recipe out in a run directory, continuing where an earlier command stopped.

    `hire` is called only if there is work to do.

    Raises:
        CurateError: of any kind; what was committed stays, and the same command continues.
    """
    with locked(run.folder):
        run.need_whole()
        snapshot = recipe.source.snapshot() if not run.purged else run.facts()["snapshot"]
        plan = make_plan(recipe, snapshot)
        run.claim(recipe, snapshot)
        done = _finished(run, plan)
        if done is None:
            run.need_work("another plan than the one that was published")
        if done is not None or not run.folder.exists(BOOKS):
            run.record(recipe)
        if done is not None:
            check_budget(plan, done.books, run.folder.url)
            report({"event": "complete", "cached": True})
            return done
        counts = listed(run) or list_source(recipe.source, run)
        job = Job(plan, run, counts["rows"], counts["partitions"])
        for step in plan.steps:
            if isinstance(step.stage, Reduce):
                check_earlier(run, step)
        report({"event": "listed", "rows": job.rows, "partitions": job.partitions})
        runner = hire()
        try:
            return _carry_out(job, runner, report)
        finally:
            runner.close()


def _finished(run: Run, plan: Plan) -> Finished | None:
    """Return the run as it stands where this very plan was published."""
    if not (run.folder.exists(BOOKS) and run.folder.exists(MANIFEST)):
        return None
    stored = read_json(run.folder, BOOKS)
    if stored["plan"] != plan.fingerprint:
        return None
    manifest = Manifest.load(run.folder)
    if not run.purged and missing_files(run.folder, manifest.shards):
        return None
    return Finished(plan, Books.from_json(stored["stages"]), manifest, stored["rows"])


def _carry_out(job: Job, runner: Runner, report: Report) -> Finished:
    books = Books()
    kept: list[int] = []
    for phase in job.plan.phases:
        kept = _phase(job, phase, runner, books, report)
    entries, erased = _publish(job, kept, runner, report)
    ordered = Books({name: books[name] for name in _order(job.plan)})
    dropped = Counter({ERASED: erased} if erased else {})
    ordered[job.plan.recipe.sink.name] = StageBooks(sum(kept), sum(e.samples for e in entries), dropped)
    check_balance(ordered, job.rows)
    stored = {"plan": job.plan.fingerprint, "rows": job.rows, "stages": ordered.to_json()}
    job.run.record(job.plan.recipe)
    job.run.folder.write(BOOKS, json.dumps(stored, indent=1).encode())
    # The manifest comes last: it never stands beside another plan's books.
    manifest = finish(job, entries)
    report({"event": "complete", "cached": False})
    return Finished(job.plan, ordered, manifest, job.rows)


def _order(plan: Plan) -> list[str]:
    return [plan.recipe.source.name, *(s.name for s in plan.steps)]


def _phase(job: Job, phase: Phase, runner: Runner, books: Books, report: Report) -> list[int]:
    """Carry out one phase on every partition, then its Reduce; return the survivors of each partition."""
    kept: dict[int, int] = {}
    seen = Books()
    report({"event": "phase", "phase": phase.index, "stages": [s.name for s in phase.steps]})
    with closing(_commits(job, phase, runner)) as commits:
        for commit in commits:
            kept[commit.partition] = commit.kept
            seen.add(commit.books)
            report(_progress(job, phase, commit))
            check_budget(job.plan, seen, job.run.folder.url, at_most=job.rows)
    check_budget(job.plan, seen, job.run.folder.url)
    if len(kept) != job.partitions:
        raise IntegrityError(
            f"{job.partitions - len(kept)} of {job.partitions} partitions were not committed; "
            "the same command carries them out"
        )
    books.add(seen)
    if phase.reduce is not None:
        entering = sum(kept.values())
        report({"event": "reduce", "stage": phase.reduce.name, "rows": entering})
        carry_out(job, phase.reduce, entering, runner.each, report)
    return [kept[i] for i in range(job.partitions)]


def _commits(job: Job, phase: Phase, runner: Runner) -> Generator[Commit]:
    """Yield the commits that are stored, then those of the partitions still to do, as they come."""
    names = set(job.run.work.names(phase.folder))
    done = [i for i in range(job.partitions) if part_name(i) + ".parquet" in names]
    with ThreadPoolExecutor(_READERS) as readers:
        yield from filter(None, readers.map(lambda i: committed(job, phase, i), done))
    todo = sorted(set(range(job.partitions)) - set(done))
    if phase.steps:
        yield from runner.carry(job, phase, todo)
    else:
        yield from runner.each(pass_on, ((job, phase, i) for i in todo))


def _progress(job: Job, phase: Phase, commit: Commit) -> dict[str, Any]:
    return {
        "event": "partition", "phase": phase.index, "partition": commit.partition, "of": job.partitions,
        "fresh": commit.fresh, "stages": commit.books.to_json(), "seconds": commit.seconds,
    }  # fmt: skip


def _publish(job: Job, kept: list[int], runner: Runner, report: Report) -> tuple[list[ShardEntry], int]:
    """Write ledger and shards; return the shards, and how many samples were erased after they had passed."""
    prepare(job)
    written = {w.partition: w for w in runner.each(publish_ledger, ((job, i) for i in range(job.partitions)))}
    erased = sum(w.erased for w in written.values())
    left = [written[i].kept for i in range(job.partitions)]
    if sum(left) + erased != sum(kept):
        raise IntegrityError(f"ledger: {sum(left)} samples are kept in it, {sum(kept)} came through the last stage")
    shards = plan_shards(left, job.plan.recipe.sink.samples_per_shard)
    report({"event": "publish", "shards": len(shards), "samples": sum(left)})
    entries: dict[str, ShardEntry] = {}
    for entry in runner.each(publish_shard, ((job, i, pieces) for i, pieces in enumerate(shards))):
        entries[entry.name] = entry
        report({"event": "shard", "name": entry.name, "samples": entry.samples, "of": len(shards)})
    return [entries[shard_name(i)] for i in range(len(shards))], erased
