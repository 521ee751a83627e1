"""A training job from its command to its last figures: where it stands, whether it may go on, who works on it."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from curate.errors import LockedError, StorageError, TrainError
from curate.train import checkpoint
from curate.train.config import Training
from curate.train.contract import require_usable
from curate.train.corpus import Corpus
from curate.train.evaluate import report
from curate.train.features import find
from curate.train.learner import Learner, Progress, begin
from curate.train.loop import Run, train
from curate.train.mixture import Mixture, open_mixture
from curate.train.origin import Origin, Origins, require_same
from curate.train.presets import configure
from curate.train.ranks import Ranks, ranks
from curate.train.sharding import Placement


@dataclass(frozen=True)
class Job:
    """What is to be trained, from what, into where."""

    preset: str
    data: tuple[str, ...]
    """Runs, each `URL` or `URL:WEIGHT`."""
    out: str
    overrides: dict[str, str]
    resume: bool
    divided: bool = False
    """Whether several processes divide the blocks' weights among them, instead of each having all."""
    cache: str | None = None
    """Local folder into which remote shards are copied."""


def carry_out(job: Job, progress: Progress) -> dict[str, Any]:
    """Carry a job out from where it stands; return the final metrics, which OUT/final.json holds too."""
    config = configure(job.preset, job.overrides)
    if "://" in job.out:
        raise TrainError(f"{job.out}: checkpoints are written to a folder of this machine; give a local path")
    out = Path(job.out)
    with _refusals(out), deterministic(config.threads), ranks() as among, _alone(out, among):
        say = progress if among.first else _silence
        _require_shares(config, among)
        if among.first and not job.resume:
            _start_over(out)
        among.wait()
        final = _trained(job, config, Stand(out, among, say))
        if among.first:
            (out / "final.json").write_text(json.dumps(final, indent=1) + "\n", encoding="utf-8")
        say({"event": "end", **final})
    return final


@dataclass(frozen=True)
class Stand:
    """Where a job runs."""

    out: Path
    ranks: Ranks
    progress: Progress


def _trained(job: Job, config: Training, at: Stand) -> dict[str, Any]:
    mixture = open_mixture(job.data, config, job.cache)
    origins = tuple(map(Origin.of, mixture.sources))
    learner = _standing(at.out, mixture, origins, Placement(at.ranks, job.divided))
    stored, said = find(learner, mixture)
    if said:
        at.progress({"event": "features", "used": stored is not None, "said": said})
    corpus = Corpus(mixture, config, learner.examples, stored)
    require_usable(corpus, config)
    train(Run(at.out, learner, config, corpus, origins, at.ranks, at.progress))
    return {
        "preset": config.preset,
        "steps": learner.step,
        **report(learner.model, corpus, at.ranks.world),
        "parameters": sum(p.numel() for p in learner.model.parameters()),
        "samples": len(mixture),
        "failed": learner.failed,
        "data_versions": [origin.version for origin in origins],
    }


def _silence(_: dict[str, Any]) -> None:
    """Say nothing: only the first process speaks."""


def _standing(out: Path, mixture: Mixture, origins: Origins, place: Placement) -> Learner:
    """Return where training stands: the newest checkpoint under `out`, or the beginning."""
    checkpoints, config = checkpoint.saved(out), mixture.config
    if not checkpoints:
        return begin(config, mixture, place)
    learner, fed = checkpoint.restore(checkpoints[-1], place)
    _require_same(out, learner.model.training_config.model_dump(), config.model_dump())
    require_same(checkpoints[-1], fed, origins)
    return learner


def _require_same(out: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to go on with other settings."""
    decides = [name for name in now if name not in Training.LIMITS]
    differing = [f"{n} was {then.get(n)}, now {now[n]}" for n in decides if then.get(n) != now[n]]
    if differing:
        raise TrainError(
            f"{out} holds a training run with other settings: {'; '.join(differing)}. "
            "Give the same ones to go on with it, or another folder to start anew"
        )


def _require_shares(config: Training, among: Ranks) -> None:
    if config.batch_size % among.world:
        raise TrainError(
            f"batch_size {config.batch_size} cannot be shared evenly by {among.world} processes: "
            f"give a multiple of {among.world}"
        )
    if config.batch_size // among.world % config.together:
        raise TrainError(
            f"batch_size {config.batch_size} on {among.world} processes parts samples that stay together: "
            f"give a multiple of {among.world * config.together}"
        )


def _start_over(out: Path) -> None:
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    for name in ("metrics.jsonl", "final.json"):
        (out / name).unlink(missing_ok=True)


@contextmanager
def _alone(out: Path, among: Ranks) -> Iterator[None]:
    """Hold `out` for this job; the lock goes with the process, however it ends."""
    if not among.first:
        yield
        return
    out.mkdir(parents=True, exist_ok=True)
    with (out / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(f"{out}: another process trains into this folder. Wait, or give another") from error
        yield


@contextmanager
def _refusals(out: Path) -> Iterator[None]:
    """Turn a refusal of the disk into a StorageError that names the place."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise StorageError(f"{out}: {error}. Make room or mend access; the same command continues") from error


@contextmanager
def deterministic(threads: int) -> Iterator[None]:
    """Have torch add in the same order every time: deterministic kernels, a fixed number of threads."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it CUDA's matrices refuse to be deterministic
    # On CUDA a few kernels have no deterministic form: torch names them, and training goes on.
    torch.use_deterministic_algorithms(mode=True, warn_only=torch.cuda.is_available())
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(mode=before[1])
