"""The sketches that a Reduce goes by: of this run's partitions, and of earlier runs' where it is to look there too."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curate.errors import InputError
from curate.ledger import part_name
from curate.plan import Step
from curate.reduce import Compare, Reduce
from curate.run.job import Job
from curate.run.layout import Run
from curate.run.reduce.shape import Shape, shape_of
from curate.run.reduce.spill import bucket_batches, bucket_of, said
from curate.storage import Folder

DONE = "sketch.json"
"""In a folder of sketches: all are there, and were judged. A run goes by that of the highest `turn`, stage by stage."""
PLACE = 32
"""`order` is the partition in the high bits and the row in the low 32."""


@dataclass(frozen=True)
class Part:
    """The sketches of one partition."""

    folder: Folder
    name: str
    """As in `rows-<name>.arrow`."""
    index: int
    """Its number in the whole: this run's partitions first, then the earlier runs'."""
    shape: Shape
    earlier: bool
    verdicts: Folder | None = None
    """Of an earlier run, the folder of its verdicts."""

    def rows(self, bucket: int, buckets: int) -> Iterator[pa.Table]:
        """Yield the rows whose node is in a bucket, with `order` as the whole counts it."""
        for table in self._ranges("rows", "node", bucket, buckets, self.shape.rows + 1):
            yield self._placed(table)

    def bands(self, bucket: int, buckets: int) -> Iterator[pa.Table]:
        """Yield the records whose band is in a bucket."""
        for table in self._ranges("bands", "band", bucket, buckets, self.shape.bands):
            yield self._placed(table)

    def _ranges(self, kind: str, by: str, bucket: int, buckets: int, written: int) -> Iterator[pa.Table]:
        file = f"{kind}-{self.name}.arrow"
        own = self.shape.rows if kind == "rows" else self.shape.bands
        if own == buckets:
            yield from bucket_batches(self.folder, file, bucket, written)
            return
        # Cut into other ranges than ours, for it is of another run: take all that touch, and keep what belongs.
        for other in range(bucket * own // buckets, -(-(bucket + 1) * own // buckets)):
            for table in bucket_batches(self.folder, file, other, written):
                here = bucket_of(table[by].to_numpy(), buckets) == bucket
                if here.any():
                    yield table.filter(pa.array(here))

    def _placed(self, table: pa.Table) -> pa.Table:
        row = table["order"].to_numpy() & np.int64((1 << PLACE) - 1)
        order = pa.array((np.int64(self.index) << PLACE) | row)
        place = table.schema.get_field_index("order")
        return table.set_column(place, table.schema.field(place), order)

    def apart(self) -> int:
        """Return how many rows have nothing to compare."""
        file = f"rows-{self.name}.arrow"
        return sum(t.num_rows for t in bucket_batches(self.folder, file, self.shape.rows, self.shape.rows + 1))

    def sketched(self) -> int:
        """Return how many rows were sketched."""
        told = said(self.folder, f"rows-{self.name}.arrow")
        return int((told or {})["rows"])


def corpus(job: Job, step: Step) -> tuple[Part, ...]:
    """Return every part that a Reduce judges or judges against.

    Raises:
        InputError: an earlier run has no sketches that fit.
    """
    shape, folder = shape_of(job, step), job.run.work / step.folder
    parts = [Part(folder, part_name(i), i, shape, earlier=False) for i in range(job.partitions)]
    for url in reduce_of(step).against:
        earlier, facts, verdicts = _earlier(step, url)
        old = Shape(facts["rows"], facts["bands"])
        for i in range(facts["partitions"]):
            parts.append(Part(earlier, part_name(i), len(parts), old, earlier=True, verdicts=verdicts))
    return tuple(parts)


def between(job: Job, step: Step) -> Shape:
    """Return the numbers of buckets between sketches and verdicts, where the rows of earlier runs count too.

    That of rows is a multiple of `shape_of`'s, so that each range of verdicts is of whole ranges of these.
    """
    own = shape_of(job, step).rows
    whole = shape_of(job, step, sum(_earlier(step, url)[1]["listed"] for url in reduce_of(step).against))
    return Shape(own * -(-whole.rows // own), whole.bands)


def reduce_of(step: Step) -> Reduce:
    """Return a step's stage, which is a Reduce."""
    if not isinstance(step.stage, Reduce):
        raise TypeError(step.name)
    return step.stage


def check_earlier(run: Run, step: Step) -> None:
    """Raise InputError where an earlier run that a Reduce names has no sketches that fit, or is this run."""
    for url in reduce_of(step).against:
        if Run.at(url).work.url == run.work.url:
            raise InputError(
                f"{step.name}: against: {url} is the run itself, and each of its rows would be a duplicate of itself. "
                "Name earlier runs, or choose another --out."
            )
        _earlier(step, url)


def note_done(job: Job, step: Step) -> None:
    """Note that all sketches are there and judged, and by which settings they were made; later runs look for this."""
    shape, folder = shape_of(job, step), job.run.work / step.folder
    others = [facts["turn"] for other, facts in _judged(job.run.work, step.name) if other.url != folder.url]
    before = json.loads(folder.read(DONE))["turn"] if folder.exists(DONE) else 0
    facts = {
        "identity": step.stage.identity(), "listed": job.rows, "partitions": job.partitions,
        "rows": shape.rows, "bands": shape.bands, "settings": step.stage.measuring(), "verdicts": step.verdicts,
        "turn": max(before, 1 + max(others, default=0)),
    }  # fmt: skip
    told = json.dumps(facts, indent=1).encode()
    if not folder.exists(DONE) or folder.read(DONE) != told:
        folder.write(DONE, told)


def against(step: Step) -> bytes:
    """Return what decisions on earlier runs' rows rest on: where it changes, pairs that were found hold no more."""
    told = []
    for url in reduce_of(step).against:
        folder, facts, verdicts = _earlier(step, url)
        parts = [said(folder, f"rows-{part_name(i)}.arrow") or {} for i in range(facts["partitions"])]
        told.append([folder.url, verdicts.url, facts, sum(part["rows"] for part in parts)])
    return json.dumps(told).encode()


def _judged(work: Folder, stage: str) -> Iterator[tuple[Folder, dict[str, Any]]]:
    for name in work.names("reduce"):
        if name.rpartition("-")[0] == stage and work.exists(f"reduce/{name}/{DONE}"):
            yield work / "reduce" / name, json.loads(work.read(f"reduce/{name}/{DONE}"))


def _earlier(step: Step, url: str) -> tuple[Folder, dict[str, Any], Folder]:
    """Return where the sketches are that an earlier run goes by, what it noted of them, and where its verdicts are."""
    work = Run.at(url).work
    folder, facts = max(_judged(work, step.name), key=lambda found: found[1]["turn"], default=(None, {}))
    if folder is None:
        raise InputError(
            f"{step.name}: against: {url} has no sketches of {step.name}: it is no run with that stage, it has not "
            "come to its end, or its work was purged or erased from. Run its recipe to the end, or into another "
            "--out, and name that."
        )
    if facts["identity"] != step.stage.identity():
        ours, theirs = step.stage.measuring(), facts["settings"]
        differ = sorted(n for n in ours if n not in theirs or ours[n] != theirs[n])
        raise InputError(
            f"{step.name}: against: {url} was sketched with other settings ({', '.join(differ) or 'another version'}), "
            "so its sketches cannot be compared. Give the same settings, or run its recipe anew with these."
        )
    return folder, facts, work / facts["verdicts"]


def by_leaders(step: Step) -> bool:
    """Tell whether a row goes only for a row that it is itself like."""
    stage = step.stage
    return isinstance(stage, Compare) and stage.linkage == "leader"


def of_group(parts: Sequence[Part], group: int, groups: int) -> Sequence[Part]:
    """Return the parts of one of so many groups, which are as even as their numbers allow."""
    return [part for place, part in enumerate(parts) if place * groups // len(parts) == group]
