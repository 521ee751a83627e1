"""The same job as several processes that Ray Train starts, on this machine or on a cluster.

Every process carries out the whole job and finds the others by torch's process group; the folder of checkpoints must
be one that all of them see. Ray has each work in a folder of its own; they go back to the one that the command was
given in, from which its relative paths start. A lost process ends the group; Ray starts it anew, and the job goes on
from its last checkpoint.
"""

import contextlib
import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import ray
import ray.train
import torch
from ray.train.torch import TorchTrainer
from ray.util.queue import Empty, Queue

from curate.errors import CurateError, RunError, TrainError
from curate.train.job import Job, carry_out
from curate.train.learner import Progress

RESTARTS = 3
"""Times that a lost process is replaced before the job gives up."""
_WAIT_S = 0.2


def carry_out_on_ray(job: Job, workers: int, progress: Progress) -> dict[str, Any]:
    """Carry a job out by `workers` processes; return the final metrics.

    Raises:
        CurateError: what `carry_out` raises, from whichever process raised it.
        RunError: processes were lost more often than they are replaced, or the cluster has no room for them.
    """
    with _cluster():
        events: Queue = Queue()
        runner = _Runner(job, workers, events)
        thread = threading.Thread(target=runner.run)
        thread.start()
        while thread.is_alive() or not events.empty():
            with contextlib.suppress(Empty):
                event = events.get(timeout=_WAIT_S)
                if isinstance(event, CurateError):
                    runner.refused = event
                else:
                    progress(event)
        thread.join()
    if runner.refused is not None:
        raise runner.refused
    if runner.lost is not None:
        raise RunError(f"{job.out}: training processes were lost: {runner.lost}. The same command goes on") from None
    final: dict[str, Any] = json.loads((Path(job.out) / "final.json").read_bytes())
    return final


class _Runner:
    """Ray Train in a thread of its own, so that what processes say is heard while they work."""

    def __init__(self, job: Job, workers: int, events: Queue) -> None:
        self.job, self.workers, self.events = job, workers, events
        self.refused: CurateError | None = None
        self.lost: str | None = None

    def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="curate-train-") as folder:
            scaling = ray.train.ScalingConfig(num_workers=self.workers, use_gpu=torch.cuda.is_available())
            failures = ray.train.FailureConfig(max_failures=RESTARTS)
            settings = {"job": self.job, "events": self.events, "folder": str(Path.cwd())}
            trainer = TorchTrainer(
                _work,
                train_loop_config=settings,
                scaling_config=scaling,
                run_config=ray.train.RunConfig(storage_path=folder, failure_config=failures),
            )
            try:
                trainer.fit()
            except ray.train.TrainingFailedError as error:
                self.lost = str(error).splitlines()[0]


def _work(settings: dict[str, Any]) -> None:
    """Carry the job out in one process; a refusal is said, not raised: it would only be tried again."""
    events: Queue = settings["events"]
    try:
        _go_to(settings["folder"], settings["job"])
        carry_out(settings["job"], events.put)
    except CurateError as error:
        events.put(error)


def _go_to(folder: str, job: Job) -> None:
    """Work in the folder that the job's relative paths start from, where this machine has it.

    Raises:
        TrainError: it has not, and the job writes to a relative path.
    """
    if Path(folder).is_dir():
        os.chdir(folder)
    elif not Path(job.out).is_absolute():
        raise TrainError(f"{job.out}: not every machine has {folder}, where it would lie; give a path that all share")


@contextlib.contextmanager
def _cluster() -> Any:
    """Join the cluster of RAY_ADDRESS, or start one here and end it."""
    if ray.is_initialized():
        yield
        return
    ray.init(address=os.environ.get("RAY_ADDRESS", "local"), include_dashboard=False, log_to_driver=False)
    try:
        yield
    finally:
        ray.shutdown()
