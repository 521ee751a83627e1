"""Into how many ranges a Reduce cuts its records, so that what one task holds fits the memory it may take."""

from dataclasses import dataclass

from curate.plan import Step
from curate.reduce import Banded, Pairwise, Reduce
from curate.run.job import Job

ROW_BYTES = 48
"""Of a row's record: node, check, order, key, score."""
BAND_BYTES = 24
_WORKING = 4
"""A task that holds its records also holds what it sorts them by, and their copies: four times their bytes."""


@dataclass(frozen=True)
class Shape:
    """Numbers of buckets: set by the input and the memory setting, never by the number of workers."""

    rows: int
    bands: int


def shape_of(job: Job, step: Step, earlier: int = 0) -> Shape:
    """Return the numbers of buckets that keep every task of a Reduce within the recipe's memory.

    Sketches and verdicts are cut for the run's own rows; `earlier` is how many rows of earlier runs are looked at too.
    """
    stage, memory = step.stage, job.memory_bytes
    if not isinstance(stage, Reduce):
        raise TypeError(step.name)
    how = stage.comparing()
    total = job.rows + earlier
    rows = pieces(total * stage.records_a_row * ROW_BYTES, memory)
    bands = pieces(total * BAND_BYTES * how.bands, memory) if isinstance(how, Banded) else 1
    return Shape(rows, bands)


def groups_of(job: Job, how: Banded | Pairwise, parts: int) -> int:
    """Return into how many groups partitions are put whose payloads are compared in one task."""
    rows = -(-job.rows // max(job.partitions, 1)) * parts
    return min(parts, pieces(rows * how.payload_bytes, job.memory_bytes))


def pieces(total_bytes: int, memory: int) -> int:
    """Return into how many pieces so many bytes are cut for a task to work on one within `memory`."""
    return max(1, -(-total_bytes * _WORKING // memory))


def spilled_bytes(rows: int, how: Banded | Pairwise | None) -> int:
    """Return about how many bytes the sketches of so many rows take on disk."""
    each = ROW_BYTES + (how.payload_bytes + 20 if how else 0)
    return rows * (each + (BAND_BYTES * how.bands if isinstance(how, Banded) else 0))
