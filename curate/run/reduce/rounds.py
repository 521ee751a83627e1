"""A Reduce from its sketches to its verdicts: find pairs, join them, elect, judge.

Every task writes one file and does nothing where that is there, so a killed run goes on at the task where it stopped.
"""

from collections.abc import Callable
from typing import Any

from curate.errors import IntegrityError
from curate.plan import Step
from curate.reduce import Banded
from curate.run.job import Job
from curate.run.reduce.banded import banded_edges
from curate.run.reduce.corpus import against, between, note_done, reduce_of
from curate.run.reduce.election import elect
from curate.run.reduce.forgetting import forget_erased
from curate.run.reduce.pairwise import pairwise_edges
from curate.run.reduce.ranks import verdict_file
from curate.run.reduce.shape import shape_of
from curate.run.reduce.stars import components
from curate.run.reduce.tasks import Each
from curate.run.reduce.verdicts import judge
from curate.shards.tombstones import TOMBSTONES
from curate.storage import Folder

_AGAINST = "against.json"
Report = Callable[[dict[str, Any]], None]


def carry_out(job: Job, step: Step, entering: int, each: Each, report: Report) -> None:
    """Judge the rows that were sketched, `entering` in number.

    Raises:
        IntegrityError: not every row was judged.
    """
    folder, buckets = job.run.work / step.verdicts, shape_of(job, step).rows
    rounds = folder / "rounds"
    names = set(folder.names())
    elections = 0
    erased = 0
    if not names.issuperset(verdict_file(b) for b in range(buckets)):
        erased = _forget_erased(job, step, folder, each)
        _need_same_corpus(step, folder, rounds)
        elections = _cluster(job, step, each, report)
    report({"event": "round", "stage": step.name, "doing": "judging"})
    judged = sum(each(judge, ((job, step, folder, rounds, b, elections) for b in range(buckets))))
    # Rows that were erased after they had come this far entered, and were not judged.
    if not entering - erased <= judged <= entering:
        raise IntegrityError(f"{step.name}: judged {judged} rows, {entering} came from the stage before")
    rounds.delete("")
    note_done(job, step)


def _forget_erased(job: Job, step: Step, folder: Folder, each: Each) -> int:
    """Leave out what was erased since it was sketched, and begin anew where it is named; return how many rows it is."""
    if not job.run.folder.exists(TOMBSTONES):
        return 0
    found = list(each(forget_erased, ((job, step, i) for i in range(job.partitions))))
    if any(changed for _, changed in found):
        folder.delete("")
    return sum(rows for rows, _ in found)


def _need_same_corpus(step: Step, folder: Folder, rounds: Folder) -> None:
    """Begin anew where an earlier run changed since this was begun: it was decided again, or erased from."""
    if not reduce_of(step).against:
        return
    now = against(step)
    if not rounds.exists(_AGAINST) or rounds.read(_AGAINST) != now:
        folder.delete("")
        rounds.write(_AGAINST, now)


def _cluster(job: Job, step: Step, each: Each, report: Report) -> int:
    """Find and join what is alike but not the same; return in how many files it stands who was elected."""
    how = reduce_of(step).comparing()
    if how is None:
        return 0
    folder = job.run.work / step.verdicts / "rounds"
    report({"event": "round", "stage": step.name, "doing": "finding pairs"})
    edges = (banded_edges if isinstance(how, Banded) else pairwise_edges)(job, step, folder, each)
    report({"event": "round", "stage": step.name, "doing": "joining clusters"})
    buckets = between(job, step).rows
    stars = components(folder, edges, buckets, each)
    elect(job, step, folder, stars, edges, each)
    return buckets
