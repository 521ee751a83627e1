"""What a worker of a cluster does: it holds a segment's opened stages and takes partitions through them."""

from dataclasses import dataclass

from curate.plan import Phase, Step
from curate.run.flow import Flow
from curate.run.isolate import open_isolated
from curate.run.job import Job
from curate.run.opened import Measure, open_stage
from curate.run.partition import Commit, advance, begin, commit


@dataclass
class Segment:
    """What a worker returns of one partition: a commit at the phase's end, nothing on the way there."""

    commit: Commit | None


class Worker:
    """Holds a segment's opened stages; weights load here, once."""

    def __init__(self, job: Job, phase: Phase, segment: int, stall_timeout_s: float) -> None:
        """Open nothing yet."""
        self.job, self.phase, self.segment, self.stall_timeout_s = job, phase, segment, stall_timeout_s
        self.opened: dict[str, Measure] = {}

    def ready(self) -> None:
        """Answer once there is room for this worker somewhere and it has started."""

    def carry(self, partition: int, flow: Flow | None, isolate: bool) -> tuple[Segment, Flow | None]:
        """Take a partition through this segment."""
        state = begin(self.job, self.phase, partition) if flow is None else flow
        if isinstance(state, Commit):
            return Segment(state), None
        state.alive = state.alive.copy()  # what comes from the object store is read-only
        opener = self._isolated if isolate else self._open
        state = advance(self.job, self.phase, self.segment, state, opener)
        if self.segment == len(self.phase.segments) - 1:
            return Segment(commit(self.job, self.phase, state)), None
        return Segment(None), state

    def _open(self, step: Step) -> Measure:
        if step.fingerprint not in self.opened:
            self.opened[step.fingerprint] = open_stage(step.stage)
        return self.opened[step.fingerprint]

    def _isolated(self, step: Step) -> Measure:
        return open_isolated(step.stage, self.stall_timeout_s)
