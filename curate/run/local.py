"""The runner in this process: for tests, small inputs, and machines without Ray."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from curate.plan import Phase, Step
from curate.run.isolate import open_isolated
from curate.run.job import Job
from curate.run.opened import Measure, open_stage
from curate.run.partition import Commit, advance, begin, commit, committed
from curate.run.supervise import MAX_ATTEMPTS, TRUSTED_ATTEMPTS, gave_up

Item = TypeVar("Item")
Result = TypeVar("Result")


class LocalRunner:
    """Carries out partitions one after the other.

    A stage that crashes takes this process with it. Attempts are therefore noted on disk: when the same command has
    died on a partition twice, its stages run in processes of their own and the sample that kills is named.
    """

    def __init__(self) -> None:
        """Open nothing yet."""
        self._opened: dict[str, Measure] = {}

    def carry(self, job: Job, phase: Phase, partitions: Iterable[int]) -> Iterator[Commit]:
        """Take partitions through a phase, yielding each commit."""
        for partition in partitions:
            yield self._one(job, phase, partition)

    def each(self, task: Callable[..., Result], items: Iterable[tuple[object, ...]]) -> Iterator[Result]:
        """Call `task(*item)` for each item."""
        for item in items:
            yield task(*item)

    def close(self) -> None:
        """Let go of opened stages."""
        self._opened.clear()

    def _one(self, job: Job, phase: Phase, partition: int) -> Commit:
        done = committed(job, phase, partition)
        if done is not None:
            return done
        mark = f"attempts/{phase.index}-{partition:05d}"
        attempt = len(job.run.work.read(mark)) + 1 if job.run.work.exists(mark) else 1
        if attempt > MAX_ATTEMPTS:
            job.run.work.delete(mark)
            raise gave_up(phase, partition)
        job.run.work.write(mark, b"x" * attempt)
        try:
            return self._through(job, phase, partition, isolate=attempt > TRUSTED_ATTEMPTS)
        finally:
            # Reached on success, error and Ctrl-C alike: only a process that died leaves its mark.
            job.run.work.delete(mark)

    def _through(self, job: Job, phase: Phase, partition: int, *, isolate: bool) -> Commit:
        flow = begin(job, phase, partition)
        if isinstance(flow, Commit):
            return flow
        for segment in range(len(phase.segments)):
            flow = advance(job, phase, segment, flow, _isolated if isolate else self._open)
        return commit(job, phase, flow)

    def _open(self, step: Step) -> Measure:
        if step.fingerprint not in self._opened:
            self._opened[step.fingerprint] = open_stage(step.stage)
        return self._opened[step.fingerprint]


def _isolated(step: Step) -> Measure:
    return open_isolated(step.stage)
