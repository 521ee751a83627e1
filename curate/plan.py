"""Recipe to Plan: phases, steps and the fingerprints that say which stored results still hold.

A step's fingerprint covers what its stage computes and what wrote the columns it reads, and no threshold: a moved
threshold leaves every measurement valid. A phase's fingerprint covers the decisions too: it names a set of survivors.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from curate.dedupe.repeated import RepeatedRows
from curate.errors import ModelError
from curate.recipe import Recipe
from curate.reduce import Recurring, Reduce
from curate.sample import is_media
from curate.stage import Filter, Resources, Stage


@dataclass(frozen=True)
class Step:
    """A stage at its place in a plan."""

    stage: Stage
    fingerprint: str
    """Names its stored results."""
    decision: str = ""
    """Of a Reduce: names its verdicts, which its deciding settings change and its sketches do not."""

    @property
    def name(self) -> str:
        """The stage's name."""
        return self.stage.name

    @property
    def folder(self) -> str:
        """Where its results are, inside the run (filters) or inside `work` (all else)."""
        label = f"{self.name}-{self.fingerprint[:16]}"
        if isinstance(self.stage, Filter):
            return f"scores/{label}"
        if isinstance(self.stage, Reduce):
            return f"reduce/{label}"
        return f"samples/{label}" if self.holds_media else f"edits/{label}"

    @property
    def verdicts(self) -> str:
        """Where a Reduce's verdicts are, inside `work`."""
        return f"{self.folder}/{self.decision[:16]}"

    @property
    def holds_media(self) -> bool:
        """Whether its results hold pictures or sound."""
        return any(is_media(f) for f in self.stage.outputs())


@dataclass(frozen=True)
class Phase:
    """The stretch up to a Reduce stage, or up to the shards."""

    index: int
    steps: tuple[Step, ...]
    reduce: Step | None
    fingerprint: str

    @property
    def folder(self) -> str:
        """Where its decisions are, inside `work`."""
        return f"phases/{self.index}-{self.fingerprint[:16]}"

    @cached_property
    def segments(self) -> tuple[tuple[Step, ...], ...]:
        """Steps next to each other that take the same resources, which one worker carries out in one call."""
        groups: list[list[Step]] = []
        for step in self.steps:
            if groups and groups[-1][-1].stage.resources == step.stage.resources:
                groups[-1].append(step)
            else:
                groups.append([step])
        return tuple(tuple(g) for g in groups) or ((),)

    def resources(self, segment: int) -> Resources:
        """Return what one worker of a segment takes."""
        steps = self.segments[segment]
        return steps[0].stage.resources if steps else Resources()


@dataclass(frozen=True)
class Plan:
    """What a recipe comes to, on a given snapshot of its input."""

    recipe: Recipe
    phases: tuple[Phase, ...]
    fingerprint: str
    """Names the shards: equal plans on equal input give equal bytes."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step in order, Reduces included."""
        return tuple(s for p in self.phases for s in (*p.steps, *((p.reduce,) if p.reduce else ())))


def make_plan(recipe: Recipe, snapshot: str) -> Plan:
    """Lay out phases and fingerprints; `snapshot` is the source's own hash of its input.

    Raises:
        ModelError: weights that a stage names are not here.
    """
    source = recipe.source
    origin = _hash(source.identity(), snapshot)
    columns = {f.name: source.identity() for f in source.outputs()} | {"key": source.identity()}
    load = source.load()
    stages = [RepeatedRows(), *((load,) if load else ()), *_with_what_follows(recipe.stages)]
    _need_models(stages)
    phases: list[Phase] = []
    pending: list[Step] = []
    before = origin
    for stage in stages:
        step = Step(stage, _hash(stage.identity(), *(columns.get(c, "") for c in stage.inputs())))
        columns |= {f.name: step.fingerprint for f in stage.outputs()}
        if not isinstance(stage, Reduce):
            pending.append(step)
            continue
        # A Reduce judges the rows that reach it, so its sketches hold for these survivors only, cut for this memory.
        before = _hash(before, *map(_decided, pending), recipe.settings.reduce_memory_mb)
        # The score stands in the sketches: two columns that one stage wrote have one fingerprint.
        sketched = _hash(step.fingerprint, before, stage.score)
        before = _hash(before, _decided(step))
        reduce = Step(stage, sketched, before)
        columns |= {f.name: before for f in stage.outputs()}
        phases.append(Phase(len(phases), tuple(pending), reduce, before))
        pending = []
    last = _hash(before, *map(_decided, pending))
    phases.append(Phase(len(phases), tuple(pending), None, last))
    sink = _hash(last, recipe.sink.identity(), *sorted(columns.values()))
    return Plan(recipe, tuple(phases), sink)


def _with_what_follows(stages: Sequence[Stage]) -> Iterator[Stage]:
    for stage in stages:
        yield stage
        if isinstance(stage, Recurring):
            yield stage.then()


def _need_models(stages: Sequence[Stage]) -> None:
    """Raise one ModelError that names every stage whose weights are not here."""
    lacking = []
    for stage in stages:
        try:
            stage.identity()
        except ModelError as error:
            lacking.append(f"{stage.name}: {error}")
    if lacking:
        raise ModelError("\n".join(lacking))


def _decided(step: Step) -> str:
    """Hash a step with its thresholds; the failure budget decides about the run, not about samples."""
    settings = step.stage.model_dump(mode="json", exclude={"max_failed_fraction"})
    return _hash(step.fingerprint, settings)


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
