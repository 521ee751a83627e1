"""Where a column of a partition is stored: in the source's list, or in the results of the step that wrote it last."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from curate.errors import IntegrityError
from curate.ledger import part_name
from curate.plan import Step
from curate.run.ingest import FOLDER as SOURCE
from curate.run.job import Job
from curate.run.opened import FAILED, result_schema
from curate.run.parts import part_file, read_table
from curate.stage import Filter
from curate.storage import Folder


def results_at(job: Job, step: Step, partition: int) -> tuple[Folder, str]:
    """Return folder and file of a step's results for a partition."""
    root = job.run.folder if isinstance(step.stage, Filter) else job.run.work
    return root / step.folder, part_file(partition, result_schema(step.stage))


def read_source(job: Job, partition: int, columns: Iterable[str]) -> pa.Table:
    """Read columns of the source's list for a partition."""
    return read_table(job.run.work / SOURCE, part_name(partition) + ".parquet", list(columns))


def load_columns(job: Job, partition: int, names: Sequence[str], steps: Sequence[Step], rows: pa.Array) -> pa.Table:
    """Read the columns `names` as they are after `steps`, for the given places in the partition (int32[n]).

    A place that a step never saw is null in that step's columns.
    """
    found: dict[str, pa.ChunkedArray] = {}
    wanted = set(names)
    for step in reversed(steps):
        here = [f.name for f in step.stage.outputs() if f.name in wanted]
        if here:
            folder, file = results_at(job, step, partition)
            stored = align(read_table(folder, file, ["row", *here]), rows)
            found |= {n: stored[n] for n in here}
            wanted -= set(here)
    if wanted:
        listed = align(read_source(job, partition, ["row", *sorted(wanted)]), rows)
        found |= {n: listed[n] for n in sorted(wanted)}
    return pa.table({n: found[n] for n in names})


def check_decided(job: Job, partition: int, steps: Sequence[Step], rows: pa.Array) -> None:
    """Raise IntegrityError where a surviving row has no result of a step it passed, or a failed one."""
    for step in steps:
        folder, file = results_at(job, step, partition)
        stored = align(read_table(folder, file, ["row", FAILED.name]), rows)
        lost = stored["row"].null_count + len(rows) - stored[FAILED.name].null_count
        if lost:
            raise IntegrityError(
                f"{folder.path(file)}: {lost} samples that were kept have no result here: the file was changed "
                "after it was decided on. Restore it from a copy, or run the recipe into another --out."
            )


def align(stored: pa.Table, rows: pa.Array) -> pa.Table:
    """Return `stored`, which is sorted by `row`, at the given places; nulls where it has none."""
    have, want = stored["row"].to_numpy(), np.asarray(rows)
    if np.array_equal(have, want):
        return stored
    at = np.searchsorted(have, want)
    if len(have):
        missing = (at == len(have)) | (have[np.minimum(at, len(have) - 1)] != want)
    else:
        missing = np.ones(len(want), bool)
    return stored.take(pa.array(at, mask=missing))
