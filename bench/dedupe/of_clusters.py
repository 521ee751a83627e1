"""Joining near-duplicates at scale: time and memory from a million synthetic signatures to ten, and the same result.

Every fourth row is a document; of the three after it in the hidden order about half are copies of it with some numbers
of their signature changed. Rows are scattered over partitions. What is measured begins where sketches are on disk.
"""

import math
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.comparison import Comparison
from curate.dedupe.minhash import band_hashes
from curate.dedupe.near_duplicates import NearDuplicates
from curate.plan import Step, make_plan
from curate.recipe import Recipe, RunSettings
from curate.reduce import Sketch, Sketcher
from curate.run.flow import Flow
from curate.run.job import Job
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.run.reduce import carry_out, write_sketch
from curate.run.reduce.sketches import mix
from curate.shards.webdataset import WebDataset
from curate.sources.documents import Documents
from curate.storage import Folder

PARTITION = 50_000
GROUP = 4
SCATTER = 2_654_435_761
"""Odd and prime: rows of a group are far apart in the corpus."""
LEAST, MOST = 0.0, 0.3
"""Share of a copy's numbers that are changed: estimated similarity 1 down to 0.7."""


class SyntheticSignatures(NearDuplicates):
    """`near_duplicates` on signatures that a key stands for."""

    name: ClassVar[str] = "near_duplicates"
    rows: int

    def inputs(self) -> tuple[str, ...]:
        """Read the key alone."""
        return ("key",)

    def open(self) -> Sketcher:
        """Return a function that makes signatures of keys."""
        return self._made

    def _made(self, table: pa.Table) -> Sketch:
        numbers = np.array([int(key, 16) for key in table["key"].to_pylist()], np.uint64)
        signed = signatures_of(numbers * np.uint64(SCATTER) % np.uint64(self.rows), self.permutations)
        raw = signed.astype("<u4").tobytes()
        payload = pa.Array.from_buffers(pa.binary(4 * self.permutations), len(numbers), [None, pa.py_buffer(raw)])
        node = mix(numbers, numbers)
        return Sketch(node=node, check=node, bands=band_hashes(signed, self.bands), payload=payload)


def signatures_of(hidden: NDArray[np.uint64], width: int) -> NDArray[np.uint32]:
    """Return uint32[n, width] for places in the hidden order."""
    first = hidden - hidden % np.uint64(GROUP)
    draws = mix(hidden, np.full(len(hidden), 1, np.uint64))
    alone = (draws & np.uint64(1)).astype(bool)
    origin = np.where(alone, hidden, first)
    places = np.arange(width, dtype=np.uint64)
    signed = mix(origin[:, None], places[None, :] + np.uint64(2))
    changed = mix(hidden[:, None], places[None, :] + np.uint64(1 << 20))
    share = LEAST + (MOST - LEAST) * ((draws >> np.uint64(8)) / np.float64(1 << 56))
    own = (changed / np.float64(1 << 64) < share[:, None]) & (hidden != origin)[:, None]
    return (np.where(own, changed, signed) >> np.uint64(32)).astype(np.uint32)


@dataclass(frozen=True)
class Measured:
    """One run of the rounds, in a process of its own."""

    rows: int
    seconds: float
    gib: float
    dropped: int


def measure(rows: int, folder: str, memory_mb: float) -> Measured:
    """Sketch and judge so many rows in a process of its own, whose peak memory is then told."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        pool.apply(sketch, (rows, folder, memory_mb))
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(judge, (rows, folder, memory_mb))


def job_of(rows: int, folder: str, memory_mb: float) -> tuple[Job, Step]:
    """Return the job and its step, whose sketches are on disk or to be made."""
    stage = SyntheticSignatures(rows=rows, verify="signatures")
    settings = RunSettings(name="synthetic", reduce_memory_mb=memory_mb)
    recipe = Recipe(settings, Documents(path="synthetic"), (stage,), WebDataset())
    plan = make_plan(recipe, "synthetic")
    job = Job(plan, Run.at(folder), rows, -(-rows // PARTITION))
    return job, next(s for s in plan.steps if s.name == stage.name)


def sketch(rows: int, folder: str, memory_mb: float) -> None:
    job, step = job_of(rows, folder, memory_mb)
    for partition in range(job.partitions):
        start = partition * PARTITION
        numbers = range(start, min(start + PARTITION, rows))
        keys = pa.array([f"{n:032x}" for n in numbers], pa.string())
        table = pa.table({"row": pa.array(range(len(keys)), pa.int32()), "key": keys})
        write_sketch(job, step, Flow.of(partition, table))


def judge(rows: int, folder: str, memory_mb: float) -> Measured:
    job, step = job_of(rows, folder, memory_mb)
    started = time.process_time()
    carry_out(job, step, rows, LocalRunner().each, lambda _: None)
    seconds = time.process_time() - started
    dropped = sum(
        pa.ipc.open_file(Folder(folder).open_native(f"work/{step.verdicts}/{name}")).read_all().num_rows
        for name in Folder(folder).names(f"work/{step.verdicts}")
    )
    return Measured(rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20), dropped)


def expected(rows: int, width: int) -> int:
    """Return how many rows comparing each with its group's first would drop: a copy at most as many changes away."""
    dropped = 0
    for start in range(0, rows, PARTITION * GROUP):
        hidden = np.arange(start, min(start + PARTITION * GROUP, rows), dtype=np.uint64)
        signed = signatures_of(hidden, width)
        first = (hidden - hidden % np.uint64(GROUP) - np.uint64(start)).astype(np.int64)
        agreeing = (signed == signed[first]).mean(axis=1)
        dropped += int(((agreeing >= 0.8) & (hidden % np.uint64(GROUP) != 0)).sum())
    return dropped


def comparisons(quick: bool) -> Iterator[Comparison]:
    sizes = (100_000, 300_000) if quick else (1_000_000, 3_000_000, 10_000_000)
    with tempfile.TemporaryDirectory(dir=Path("~/.cache").expanduser(), prefix="curate-clusters-") as root:
        found = [measure(rows, f"{root}/{rows}", 512) for rows in sizes]
    per = [m.seconds / (m.rows * math.log2(m.rows)) for m in found]
    for one, cost in zip(found, per, strict=True):
        what = f"{one.rows:,} signatures of 112 numbers, verified, one process"
        yield Comparison(f"{what}: CPU seconds", one.seconds, None, "s", "")
        yield Comparison(f"{what}: peak memory", one.gib, 4.0, "GiB", "at most 4", less_is_better=True)
        yield Comparison(f"{what}: time over n log n, of {sizes[0]:,} as peer", cost * 1e9, per[0] * 1e9, "ns", "1",
                         less_is_better=True)  # fmt: skip
    truth = expected(sizes[0], 112)
    yield Comparison(
        f"{sizes[0]:,} signatures: dropped, as a share of all copies of similarity 0.8 or more",
        found[0].dropped / truth, 1.0, "share", "0.99",
    )  # fmt: skip
