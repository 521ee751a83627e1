"""What a run would do and cost, from what earlier work in the same directory measured. Writes nothing."""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from curate.dedupe.repeated import RepeatedRows
from curate.plan import Step, make_plan
from curate.recipe import Recipe
from curate.reduce import Reduce
from curate.run.columns import results_at
from curate.run.ingest import listed, partitions
from curate.run.job import Job
from curate.run.layout import BOOKS, Run
from curate.run.partition import committed
from curate.run.parts import read_table
from curate.run.reduce import check_earlier, spilled_bytes


@dataclass(frozen=True)
class Line:
    """One stage of the plan."""

    stage: str
    kind: str
    stored: int
    to_do: str
    time: str
    cpus: float
    gpus: float


@dataclass(frozen=True)
class Forecast:
    """The plan as a person reads it."""

    rows: int
    partitions: int
    lines: list[Line]
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def forecast(recipe: Recipe, run: Run) -> Forecast:
    """Look at the source, the models and what is stored, and say what a run would do.

    Raises:
        CurateError: the run could not begin: the same error `curate run` would give.
    """
    snapshot = recipe.source.snapshot()
    plan = make_plan(recipe, snapshot)
    counts = listed(run) or _count(recipe)
    job = Job(plan, run, counts["rows"], counts["partitions"])
    seconds, measured = _speeds(job)
    stored = {s.name: _stored(job, s) for s in plan.steps}
    for step in plan.steps:
        if isinstance(step.stage, Reduce):
            check_earlier(run, step)
    lines = [_line(job, step, stored[step.name].rows, seconds, measured) for step in plan.steps]
    return Forecast(
        job.rows, job.partitions, lines, [*_notes(job, seconds, measured), *_disk(job, stored), *_reduces(job)]
    )


def _count(recipe: Recipe) -> dict[str, int]:
    sizes = [table.num_rows for table in partitions(recipe.source)]
    return {"rows": sum(sizes), "partitions": len(sizes)}


@dataclass
class _Stored:
    rows: int = 0
    bytes: int = 0


def _stored(job: Job, step: Step) -> _Stored:
    """Count the rows whose results are stored, and their bytes."""
    found = _Stored()
    if isinstance(step.stage, Reduce):
        return found
    for partition in range(job.partitions):
        folder, file = results_at(job, step, partition)
        if folder.exists(file):
            found.rows += read_table(folder, file, ["row"]).num_rows
            found.bytes += folder.size(file)
    return found


def _speeds(job: Job) -> tuple[dict[str, float], Counter[str]]:
    """Return seconds and samples of each stage over the partitions that this plan committed."""
    seconds: dict[str, float] = defaultdict(float)
    measured: Counter[str] = Counter()
    for phase in job.plan.phases:
        for partition in range(job.partitions):
            done = committed(job, phase, partition)
            for stage, spent in done.seconds.items() if done else ():
                seconds[stage] += spent
                measured[stage] += done.books[stage].entered if done else 0
    return seconds, measured


def _line(job: Job, step: Step, stored: int, seconds: dict[str, float], measured: Counter[str]) -> Line:
    needs = step.stage.resources
    left = max(job.rows - stored, 0)
    if isinstance(step.stage, Reduce):
        return Line(step.name, "reduce", 0, "all together", "", needs.cpus, needs.gpus)
    seen = measured[step.name]
    expected = f"{left * seconds[step.name] / seen:,.0f} s" if seen else "not measured yet"
    time = expected if left else "0 s"
    return Line(step.name, step.stage.kind, stored, f"at most {left:,}", time, needs.cpus, needs.gpus)


def _notes(job: Job, seconds: dict[str, float], measured: Counter[str]) -> list[str]:
    size = job.plan.recipe.source.partition_size
    notes = [f"memory: at most two partitions of {size:,} samples a worker, whatever the length of the list"]
    if job.run.folder.exists(BOOKS):
        notes.append(f"{job.run.folder.url} holds a finished run; only what differs from it runs")
    total = sum(s / measured[n] * job.rows for n, s in seconds.items() if measured[n])
    if total:
        notes.append(f"CPU time of everything, if nothing were stored: about {total:,.0f} s, divided by the workers")
    return notes


def _disk(job: Job, stored: dict[str, _Stored]) -> list[str]:
    """Say what all samples would take if those to come are like those stored; pictures are written again in shards."""
    shares = [(n, s.bytes / s.rows) for n, s in stored.items() if s.rows]
    if not shares:
        return ["disk: not measured yet"]
    media = {step.name for step in job.plan.steps if step.holds_media}
    a_sample = sum(b * (2 if n in media else 1) for n, b in shares)
    return [f"disk: at most {a_sample * job.rows / 1e6:,.1f} MB, shards included, at the sizes of what is stored"]


def _reduces(job: Job) -> list[str]:
    """Say of each Reduce what it holds and spills, and what it has to say of itself."""
    said = []
    for step in job.plan.steps:
        if isinstance(step.stage, Reduce) and not isinstance(step.stage, RepeatedRows):
            said.append(f"{step.name}: {_spilled(job, step.stage)}")
            said += [f"  {line}" for line in step.stage.notes()]
    return said


def _spilled(job: Job, stage: Reduce) -> str:
    on_disk = spilled_bytes(job.rows * stage.records_a_row, stage.comparing()) / 1e6
    memory = job.plan.recipe.settings.reduce_memory_mb
    return f"about {on_disk:,.1f} MB of sketches in work/, judged in tasks of at most {memory:g} MB of records each"
