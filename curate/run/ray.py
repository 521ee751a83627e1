"""The runner on Ray: pools of workers, one pool a segment; supervision is ours.

Ray retries a dying worker for ever, or drops its rows, so neither is left to it: partitions in flight are bounded, a
worker that dies is replaced and its partition tried again with an attempt count that leads to isolation, and a call
that makes no progress is ended. Partition numbers go in and counts come out; samples pass between workers by reference.
"""

import contextlib
import logging
import math
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import ray
import ray.exceptions

from curate.errors import CurateError, RunError
from curate.plan import Phase
from curate.run.job import Job
from curate.run.partition import Commit
from curate.run.supervise import MAX_ATTEMPTS, TRUSTED_ATTEMPTS, gave_up, no_room
from curate.run.worker import Segment, Worker

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
_WORKER: Any = ray.remote(max_restarts=0, max_task_retries=0)(Worker)


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
    all_fit: bool
    """Whether every worker has room; else one of each pool is placed first, and more as the cluster grows."""
    joining: dict[Any, tuple[int, Any]] = field(default_factory=dict)
    present: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    last_join: float = field(default_factory=time.monotonic)
    idle: list[list[Any]] = field(default_factory=list)
    waiting: list[deque[tuple[int, Any]]] = field(default_factory=list)
    calls: dict[Any, _Call] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)

    def hire(self) -> None:
        """Start every pool. Work is given to workers that have started, so none waits on one without a place."""
        for _ in self.phase.segments:
            self.idle.append([])
            self.waiting.append(deque())
        self._hire_each(self.size if self.all_fit else min(self.size, 1))

    def _hire_each(self, count: int) -> None:
        for _ in range(count):
            for segment in range(len(self.phase.segments)):
                self._hire(segment)

    def _hire(self, segment: int) -> None:
        needs = self.phase.resources(segment)
        # Rounded down, to the fourth place that Ray keeps: shares that add up to more than all would never be placed.
        options = {"num_cpus": math.floor(needs.cpus * self.cpu_share * 1e4) / 1e4, "num_gpus": needs.gpus}
        if needs.memory_bytes:
            options["memory"] = needs.memory_bytes
        worker = _WORKER.options(**options).remote(self.job, self.phase, segment, self.stall_timeout_s)
        self.joining[worker.ready.remote()] = segment, worker

    def _join(self, note: Any) -> None:
        segment, worker = self.joining.pop(note)
        try:
            ray.get(note)
        except _DEATHS:
            self.lost += 1
            if self.lost > MAX_ATTEMPTS * self.size:
                raise no_room(self.phase, segment) from None
            self._hire(segment)
            return
        self.idle[segment].append(worker)
        self.present[segment] += 1
        self.last_join = time.monotonic()
        if not self.all_fit and not self.joining:
            self.all_fit = True
            self._hire_each(self.size - 1)

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
        done, _ = ray.wait([*self.calls, *self.joining], num_returns=1, timeout=1.0)
        for note in done:
            if note in self.joining:
                self._join(note)
                continue
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
        self.present[call.segment] -= 1
        self._hire(call.segment)
        self.waiting[0].append((call.partition, None))

    def _end_stalled(self) -> None:
        """End calls that take too long; isolated stages have time limits of their own, a row at a time."""
        now = time.monotonic()
        lacking = [s for s in range(len(self.idle)) if not self.present[s]]
        if lacking and now - self.last_join > self.stall_timeout_s:
            raise no_room(self.phase, lacking[0])
        for call in self.calls.values():
            if not call.isolated and now - call.started > self.stall_timeout_s:
                ray.kill(call.worker)
                call.started = now

    def dismiss(self) -> None:
        """End every worker."""
        joining = [worker for _, worker in self.joining.values()]
        for worker in [w for pool in self.idle for w in pool] + [c.worker for c in self.calls.values()] + joining:
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
        crew = _Crew(job, phase, min(size, len(todo)), self.stall_timeout_s, cpu_share, self._own_machine)
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
        """Return how many workers each segment gets, and the share of their CPUs that they claim."""
        cpus = sum(phase.resources(s).cpus for s in range(len(phase.segments)))
        if self._own_machine:
            return self.workers, 1 / max(cpus, 1.0)
        there = ray.cluster_resources().get("CPU", 1.0)
        share = min(1.0, there / max(cpus, 0.01))  # a small cluster has room for one worker of each pool all the same
        if self._asked:
            return self._asked, share  # more than there is room for now: what waits is what makes a cluster grow
        return min(self.workers, max(1, int(there / max(cpus, 0.01)))), share

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
