"""Trying again what failed, and only that: stored failures are forgotten, everything else stays as it was."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import RunError
from curate.plan import Plan, Step
from curate.reduce import Reduce
from curate.run.ingest import FOLDER as SOURCE
from curate.run.layout import BOOKS, MANIFEST, Run
from curate.run.opened import FAILED
from curate.run.parts import read_table, write_table
from curate.shards import keep_current
from curate.stage import Filter
from curate.storage import Folder


def forget_failures(plan: Plan, run: Run) -> int:
    """Forget the failures that trying again may mend; the next run measures those samples anew.

    Decisions are withdrawn before results are: killed in between, the run is whole again after the next `curate run`.

    Returns:
        How many samples will be tried again.
    """
    run.need_work("trying again")
    run.need_whole()
    hit = [(folder, name) for step in plan.steps for folder, name in _with_failures(run, step)]
    if not hit:
        return 0
    keep_current(run.folder)
    for marker in (BOOKS, MANIFEST):
        run.folder.delete(marker)
    for name in ("phases", "reduce", "shards"):
        run.work.delete(name)
    return sum(_forget(plan, folder, name) for folder, name in hit)


def _with_failures(run: Run, step: Step) -> Iterator[tuple[Folder, str]]:
    if isinstance(step.stage, Reduce):
        return
    folder = (run.folder if isinstance(step.stage, Filter) else run.work) / step.folder
    for name in folder.names():
        if _mendable(read_table(folder, name, [FAILED.name]), step).true_count:
            yield folder, name


def _mendable(table: pa.Table, step: Step) -> pa.BooleanArray:
    """Return bool[n]: the row failed for a reason that trying again may mend."""
    failed = table[FAILED.name].combine_chunks()
    final = pc.is_in(failed, value_set=pa.array(sorted(step.stage.permanent), pa.string()))
    return pc.and_(failed.is_valid(), pc.invert(final))


def _forget(plan: Plan, folder: Folder, name: str) -> int:
    step = next(s for s in plan.steps if folder.url.endswith(s.folder))
    table = read_table(folder, name)
    again = _mendable(table, step)
    write_table(folder, name, table.filter(pc.invert(again)))
    return int(again.true_count)


def purge(run: Run) -> int:
    """Delete the raw samples of a finished run; return how many partitions they were.

    Raises:
        RunError: the run is not finished, so nothing else holds its samples; or `work` holds what is not its own.
    """
    if not (run.folder.exists(BOOKS) and run.folder.exists(MANIFEST)):
        raise RunError(f"{run.folder.url}: is not finished, and its raw samples are all there is. First: curate run")
    run.need_whole()
    if run.work.names():
        run.need_own_work(run.facts()["id"])
    partitions = len([n for n in run.work.names(SOURCE) if n.startswith("part-")])
    # The listing's own mark goes first: killed midway, the run counts as purged and purging again ends it.
    run.work.delete(f"{SOURCE}/done.json")
    run.work.delete("")
    return partitions
