"""Which items of evaluation sets a run's samples held, and which of them are in what was published."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curate.audit.runs import AuditedRun, Part
from curate.dedupe.contamination import TOLD
from curate.dedupe.decontaminate import BY, Decontaminate
from curate.errors import RunError
from curate.plan import Step
from curate.run.columns import results_at
from curate.run.job import Job
from curate.run.parts import read_table
from curate.shards.tombstones import erased_keys

OFTEN = 10
"""Samples. GPT-3 ignored an n-gram that more documents had: mostly common phrases (appendix C)."""

Entry = dict[str, Any]


@dataclass
class ItemLine:
    """One test item that samples held."""

    item: str
    samples: int = 0
    published: int = 0
    """Of those samples, how many were kept: they held too little of it to be dropped."""
    share: float | None = None
    """The largest share of its n-grams that a sample held; None of a picture."""
    bits: int | None = None
    """The fewest bits by which a sample's picture differed; None of a text."""
    examples: list[Entry] = field(default_factory=list)
    """Samples that held most of it, by key."""


@dataclass(frozen=True)
class SetLine:
    """One evaluation set."""

    name: str
    items: int
    searched: int
    """Items that could be looked for: no texts too short, no pictures too flat."""
    samples: int
    """Samples that held part of an item."""
    held: tuple[ItemLine, ...]
    """Items that samples held, those that most samples held first."""

    @property
    def published(self) -> int:
        """Items that samples which were kept held part of."""
        return sum(line.published > 0 for line in self.held)


@dataclass(frozen=True)
class Contamination:
    """What a run's samples held of evaluation sets."""

    run: str
    measured: int
    dropped: dict[str, int]
    """By reason."""
    sets: tuple[SetLine, ...]
    notes: tuple[str, ...]

    def to_json(self) -> Entry:
        """Return plain values."""
        told = asdict(self)
        for line, found in zip(told["sets"], self.sets, strict=True):
            line |= {"hit": len(found.held), "published": found.published}
        return told


def contamination(run: AuditedRun, examples: int) -> Contamination:
    """Read what `decontaminate` measured of every sample; tell the `examples` worst samples of each item.

    Raises:
        RunError: the run has no such stage, or its evaluation sets are not what they were.
    """
    step = _step(run)
    stage = step.stage
    assert isinstance(stage, Decontaminate)  # noqa: S101 - for the type checker: `_step` looks for no other
    seen = _Seen(examples, len(run.stages))
    erased = erased_keys(run.run.folder)
    for part, scores in _scored(run, step):
        seen.add(part, scores, stage.decide(scores), pc.is_in(part.keys, value_set=erased))
    sets = tuple(seen.line(name, items, searched) for name, (items, searched) in _sizes(stage).items())
    notes = _notes(seen, sets)
    return Contamination(run.run.folder.url, seen.measured, dict(seen.dropped), sets, notes)


def _step(run: AuditedRun) -> Step:
    where = run.run.folder.url
    if not any(isinstance(stage, Decontaminate) for stage in run.recipe.stages):
        raise RunError(f"{where}: its recipe has no stage '{Decontaminate.name}', so nothing was looked for")
    if run.plan is None:
        raise RunError(f"{where}: what was looked for cannot be told: {run.notes[-1]}")
    step = next(s for s in run.plan.steps if isinstance(s.stage, Decontaminate))
    if not run.run.folder.exists(step.folder):
        raise RunError(
            f"{where}: nothing is stored that was measured against these evaluation sets: they, or a stage before, "
            "have changed since. Restore the files, or run the recipe again"
        )
    return step


def _scored(run: AuditedRun, step: Step) -> Iterator[tuple[Part, pa.Table]]:
    """Yield each partition with what is stored of its samples that were measured."""
    assert run.plan is not None  # noqa: S101 - see `_step`
    job = Job(run.plan, run.run, run.rows, run.partitions)
    names = ["row", *(f.name for f in step.stage.outputs()), "_failed"]
    for partition, part in enumerate(run.parts()):
        folder, file = results_at(job, step, partition)
        if folder.exists(file):
            stored = read_table(folder, file, names)
            yield part, stored.filter(stored["_failed"].is_null())


class _Seen:
    """What the samples so far held."""

    def __init__(self, examples: int, stages: int) -> None:
        self.measured = 0
        self.dropped: Counter[str] = Counter()
        self.full = 0
        """Samples that hold more items than are told of one."""
        self._examples = examples
        self._stages = stages
        self._lines: dict[str, dict[str, ItemLine]] = defaultdict(dict)
        self._samples: Counter[str] = Counter()

    def add(self, part: Part, scores: pa.Table, reasons: pa.Array, erased: pa.Array) -> None:
        """Count n scored samples of a partition."""
        self.measured += scores.num_rows
        self.dropped.update(filter(None, reasons.to_pylist()))
        held = scores.select(["row", BY.name]).filter(pc.greater(pc.list_value_length(scores[BY.name]), 0))
        for sample in held.to_pylist():
            row, entries = sample["row"], sample[BY.name]
            self.full += len(entries) == TOLD
            self._samples.update({entry["set"] for entry in entries})
            kept = bool(part.reached[row] == self._stages)
            # A sample that was erased counts, and is not named.
            key = None if erased[row].as_py() else part.keys[row].as_py()
            for entry in entries:
                self._held(entry, key, kept=kept)

    def _held(self, entry: Entry, key: str | None, *, kept: bool) -> None:
        line = self._lines[entry["set"]].setdefault(entry["item"], ItemLine(entry["item"]))
        line.samples += 1
        line.published += kept
        if entry["share"] is not None:
            line.share = max(line.share or 0.0, entry["share"])
        if entry["bits"] is not None:
            line.bits = min(256 if line.bits is None else line.bits, entry["bits"])
        if key is not None:
            told = {"key": key, "published": kept, **{n: entry[n] for n in ("hits", "share", "bits")}}
            line.examples = sorted([*line.examples, told], key=_worst)[: self._examples]

    def line(self, name: str, items: int, searched: int) -> SetLine:
        """Return what was seen of a set."""
        lines = sorted(self._lines[name].values(), key=lambda line: (-line.samples, line.item))
        return SetLine(name, items, searched, self._samples[name], tuple(lines))


def _worst(told: Entry) -> tuple[float, float, str]:
    return (-(told["share"] or 0), told["bits"] or 0, told["key"])


def _sizes(stage: Decontaminate) -> dict[str, tuple[int, int]]:
    """Return of each set how many items it has, and how many of them could be looked for."""
    looked: list[tuple[str, bool]] = []
    if stage.texts:
        index = stage.index()
        looked += [(name, bool(total)) for (name, _), total in zip(index.names, index.totals, strict=True)]
    if stage.pictures:
        pictures = stage.picture_index()
        looked += [(name, not flat) for (name, _), flat in zip(pictures.names, pictures.flat, strict=True)]
    items = Counter(name for name, _ in looked)
    searched = Counter(name for name, there in looked if there)
    return {name: (items[name], searched[name]) for name in items}


def _notes(seen: _Seen, sets: tuple[SetLine, ...]) -> tuple[str, ...]:
    notes = []
    if seen.full:
        notes.append(f"{seen.full:,} samples hold {TOLD:,} items or more: of those, the others are not counted")
    for line in sets:
        if line.searched < line.items:
            unsought = line.items - line.searched
            notes.append(f"{line.name}: {unsought:,} items were not looked for: too short, common, allowed or too flat")
        often = sum(item.samples > OFTEN for item in line.held)
        if often:
            notes.append(
                f"{line.name}: {often:,} items were held by more than {OFTEN} samples each, as common phrases are: "
                "look at them, and put what is no contamination into the file that `allowed` names"
            )
    return tuple(notes)
