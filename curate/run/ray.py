"""The runner on Ray: pools of workers, one pool a segment; supervision is ours.

Ray retries a dying worker for ever, or drops its rows, so neither is left to it: partitions in flight are bounded, a
worker that dies is replaced and its partition tried again with an attempt count that leads to isolation, and a call
that makes no progress is ended. Partition numbers go in and counts come out; samples pass between workers by reference.
"""

import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import ray
import ray.exceptions

from curate.errors import CurateError, RunError
from curate.plan import Phase, Step
from curate.run.flow import Flow
from curate.run.isolate import open_isolated
from curate.run.job import Job
from curate.run.opened import Measure, open_stage
from curate.run.partition import Commit, advance, begin, commit
from curate.run.supervise import MAX_ATTEMPTS, TRUSTED_ATTEMPTS, gave_up

Item = TypeVar("Item")
Result = TypeVar("Result")
_DEATHS = (
    ray.exceptions.RayActorError,
    ray.exceptions.WorkerCrashedError,
    ray.exceptions.ObjectLostError,
    ray.exceptions.OutOfMemoryError,
    ray.exceptions.TaskCancelledError,
)
IN_FLIGHT_PER_WORKER = 2
"""One partition being worked on and one waiting, so that no worker starves and memory stays bounded."""
OBJECT_STORE_BYTES = 1 << 30


@dataclass
class Segment:
    """What a worker returns of one partition: a commit at the phase's end, counts on the way there."""

    commit: Commit | None


@ray.remote(max_restarts=0, max_task_retries=0)
class _Worker:
    """Holds a segment's opened stages; weights load here, once."""

    def __init__(self, job: Job, phase: Phase, segment: int, stall_timeout_s: float) -> None:
        self.job, self.phase, self.segment, self.stall_timeout_s = job, phase, segment, stall_timeout_s
        self.opened: dict[str, Measure] = {}

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


@dataclass
class _Call:
    segment: int
    worker: Any
    partition: int
    flow: Any
    isolated: bool
    started: float


@dataclass
class _Crew:
    """The pools of one phase and what is in flight."""

    job: Job
    phase: Phase
    size: int
    stall_timeout_s: float
    cpu_share: float
    """Of the CPUs a stage asks for, how many its workers claim: less than all where every pool shares one machine."""
    idle: list[list[Any]] = field(default_factory=list)
    waiting: list[deque[tuple[int, Any]]] = field(default_factory=list)
    calls: dict[Any, _Call] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)

    def hire(self) -> None:
        """Start every pool."""
        for segment in range(len(self.phase.segments)):
            self.idle.append([self._new(segment) for _ in range(self.size)])
            self.waiting.append(deque())

    def _new(self, segment: int) -> Any:
        needs = self.phase.resources(segment)
        options = {"num_cpus": round(needs.cpus * self.cpu_share, 3), "num_gpus": needs.gpus}
        if needs.memory_bytes:
            options["memory"] = needs.memory_bytes
        worker: Any = _Worker
        return worker.options(**options).remote(self.job, self.phase, segment, self.stall_timeout_s)

    @property
    def in_flight(self) -> int:
        return len(self.calls) + sum(map(len, self.waiting))

    def dispatch(self) -> None:
        """Give work to idle workers; later segments first, so that samples leave memory soon."""
        for segment in reversed(range(len(self.idle))):
            while self.idle[segment] and self.waiting[segment]:
                partition, flow = self.waiting[segment].popleft()
                worker = self.idle[segment].pop()
                isolate = self.attempts.get(partition, 0) >= TRUSTED_ATTEMPTS
                note, out = worker.carry.options(num_returns=2).remote(partition, flow, isolate)
                self.calls[note] = _Call(segment, worker, partition, out, isolate, time.monotonic())

    def collect(self) -> Iterator[Commit]:
        """Wait a moment for calls to end; yield the commits among them."""
        if not self.calls:
            return
        done, _ = ray.wait(list(self.calls), num_returns=1, timeout=1.0)
        for note in done:
            call = self.calls.pop(note)
            result = self._result(note, call)
            if result is None:
                continue
            self.idle[call.segment].append(call.worker)
            if result.commit is not None:
                yield result.commit
            else:
                self.waiting[call.segment + 1].append((call.partition, call.flow))
        self._end_stalled()

    def _result(self, note: Any, call: _Call) -> Segment | None:
        try:
            result: Segment = ray.get(note)
        except _DEATHS:
            self._replace(call)
            return None
        except ray.exceptions.RayTaskError as error:
            raise _cause(error) from error
        return result

    def _replace(self, call: _Call) -> None:
        """Hire in place of a worker that died, and begin its partition anew."""
        attempts = self.attempts[call.partition] = self.attempts.get(call.partition, 0) + 1
        if attempts >= MAX_ATTEMPTS:
            raise gave_up(self.phase, call.partition)
        with contextlib.suppress(ValueError):  # Ray's answer where the actor is already gone
            ray.kill(call.worker)
        self.idle[call.segment].append(self._new(call.segment))
        self.waiting[0].append((call.partition, None))

    def _end_stalled(self) -> None:
        """End calls that take too long; isolated stages have time limits of their own, a row at a time."""
        now = time.monotonic()
        for call in self.calls.values():
            if not call.isolated and now - call.started > self.stall_timeout_s:
                ray.kill(call.worker)
                call.started = now

    def dismiss(self) -> None:
        """End every worker."""
        for worker in [w for pool in self.idle for w in pool] + [c.worker for c in self.calls.values()]:
            ray.kill(worker)


def _cause(error: ray.exceptions.RayTaskError) -> CurateError:
    """Return the error on purpose behind a failed call, or one that says where the code is at fault."""
    cause = error.cause
    if isinstance(cause, CurateError):
        return cause
    # The places only: the message may quote a sample, and so may the lines that Ray puts around it.
    places = [line.strip() for line in str(error.traceback_str).splitlines() if line.startswith('  File "')]
    logging.getLogger(__name__).error("%s at %s", type(cause).__name__, "; ".join(places))
    return RunError(f"a worker failed in Curate's own code: {type(cause).__name__}. This is a fault to report.")


class RayRunner:
    """Carries partitions out on a Ray cluster, or on one that it starts on this machine."""

    def __init__(self, workers: int | None = None, stall_timeout_s: float = 3600.0) -> None:
        """Connect. `workers` bounds the partitions worked on at the same time; all CPUs where None."""
        self.stall_timeout_s = stall_timeout_s
        self._started = not ray.is_initialized()
        self._own_machine = self._started and not os.environ.get("RAY_ADDRESS")
        if self._started:
            _connect(workers)
        self._asked = workers
        self.workers = workers or int(ray.cluster_resources().get("CPU", 1))

    def carry(self, job: Job, phase: Phase, partitions: Iterable[int]) -> Iterator[Commit]:
        """Take partitions through a phase, yielding each commit as it comes."""
        todo = deque(partitions)
        size, cpu_share = self._pools(phase)
        crew = _Crew(job, phase, min(size, len(todo)), self.stall_timeout_s, cpu_share)
        crew.hire()
        try:
            while todo or crew.in_flight:
                while todo and crew.in_flight < crew.size * IN_FLIGHT_PER_WORKER:
                    crew.waiting[0].append((todo.popleft(), None))
                crew.dispatch()
                yield from crew.collect()
        finally:
            crew.dismiss()

    def _pools(self, phase: Phase) -> tuple[int, float]:
        """Return how many workers each segment gets, and the share of their CPUs they claim; all pools fit together."""
        cpus = sum(phase.resources(s).cpus for s in range(len(phase.segments)))
        if self._own_machine:
            return self.workers, 1 / max(cpus, 1.0)
        if self._asked:
            return self._asked, 1.0  # more than there is room for now: what waits is what makes a cluster grow
        fits = max(1, int(ray.cluster_resources().get("CPU", 1) / max(cpus, 0.01)))
        return min(self.workers, fits), 1.0

    def each(self, task: Callable[..., Result], items: Iterable[tuple[object, ...]]) -> Iterator[Result]:
        """Call `task(*item)` for each item on the cluster, a bounded number at a time; results come in any order."""
        remote = ray.remote(max_retries=MAX_ATTEMPTS)(task)
        limit = self.workers * IN_FLIGHT_PER_WORKER
        pending: list[Any] = []
        for item in items:
            pending.append(remote.remote(*item))
            if len(pending) >= limit:
                yield from _first(pending)
        while pending:
            yield from _first(pending)

    def close(self) -> None:
        """End the cluster if this started it."""
        if self._started:
            ray.shutdown()


def _first(pending: list[Any]) -> Iterator[Any]:
    done, pending[:] = ray.wait(pending, num_returns=1)
    try:
        yield ray.get(done[0])
    except ray.exceptions.RayTaskError as error:
        raise _cause(error) from error
    except _DEATHS as error:
        raise RunError(f"workers died {MAX_ATTEMPTS} times on one task; is the machine short of memory?") from error


def _connect(workers: int | None) -> None:
    """Join the cluster that RAY_ADDRESS names; otherwise start one here."""
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False)
        return
    ray.init(
        address="local", num_cpus=workers or os.cpu_count() or 1, include_dashboard=False, log_to_driver=False,
        logging_level=logging.ERROR, object_store_memory=OBJECT_STORE_BYTES,
    )  # fmt: skip
