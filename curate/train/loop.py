"""The training loop: one process, one step after the other, every step a function of the one before."""

import fcntl
import json
import math
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.nn.utils import clip_grad_norm_

from curate.errors import LockedError, StorageError, TrainError
from curate.shards import ShardReader
from curate.train import checkpoint
from curate.train.checkpoint import Origin
from curate.train.data import Batch, Corpus, collate
from curate.train.evaluate import report
from curate.train.learner import Learner, Progress, begin
from curate.train.metrics import Metrics
from curate.train.presets import Config, configure


@dataclass(frozen=True)
class Job:
    """What is to be trained, from what, into where."""

    preset: str
    data: str
    out: str
    overrides: dict[str, str]
    resume: bool


def run(job: Job, progress: Progress) -> dict[str, Any]:
    """Carry a job out from where it stands; return the final metrics, which OUT/final.json holds too."""
    config = configure(job.preset, job.overrides)
    if "://" in job.out:
        raise TrainError(f"{job.out}: checkpoints are written to a folder of this machine; give a local path")
    out = Path(job.out)
    with _refusals(out), _alone(out), _deterministic(config.threads):
        if not job.resume:
            _start_over(out)
        reader = ShardReader(job.data)
        _require_samples(reader, config, job.data)
        learner = _stand(out, config, reader)
        corpus = Corpus(reader, config, learner.tokenizer)
        _train(Training(out, learner, config, corpus, Origin.of(reader)), progress)
        final = _final(learner, config, corpus, Origin.of(reader))
    (out / "final.json").write_text(json.dumps(final, indent=1) + "\n", encoding="utf-8")
    progress({"event": "end", **final})
    return final


@dataclass(frozen=True)
class Training:
    """What the steps share."""

    out: Path
    learner: Learner
    config: Config
    corpus: Corpus
    origin: Origin


def _train(t: Training, progress: Progress) -> None:
    """Do the steps that are left, with a checkpoint after every `checkpoint_every` and after the last."""
    progress({"event": "start", "step": t.learner.step, "steps": t.config.steps, "samples": t.origin.samples})
    with Metrics(t.out / "metrics.jsonl", t.learner.step) as metrics:
        while t.learner.step < t.config.steps:
            started = time.monotonic()
            line = _next_step(t)
            metrics.append(line)
            rate = t.config.batch_size / (time.monotonic() - started)
            progress({"event": "step", "steps": t.config.steps, **line, "samples_per_second": rate})
            if t.learner.step % t.config.checkpoint_every == 0 or t.learner.step == t.config.steps:
                metrics.sync()
                checkpoint.save(t.out, t.learner, t.config, t.origin)
                progress({"event": "checkpoint", "step": t.learner.step})


def _next_step(t: Training) -> dict[str, Any]:
    """Draw the step's samples, learn from them, and return its line of metrics."""
    learner, config = t.learner, t.config
    first = learner.step * config.batch_size
    usable, failed = t.corpus.draw(t.corpus.training(first + p) for p in range(config.batch_size))
    learner.failed += len(failed)
    _require_budget(learner, config, t.origin.samples, failed)
    rate = learning_rate(learner.step, config)
    line: dict[str, Any] = {"step": learner.step + 1, "loss": None, "tokens": 0, "lr": rate}
    if usable:
        batch = collate(usable, config.vision.image_size, blank_pictures=config.blank_pictures)
        line |= {"loss": train_step(learner, batch, rate, config.clip_norm), "tokens": batch.tokens}
    if failed:
        line["failed"] = failed
    learner.step += 1
    return line


def train_step(learner: Learner, batch: Batch, rate: float, clip_norm: float) -> float:
    """Take one AdamW step on the mean loss per labelled token; return that loss, in nats.

    Raises:
        TrainError: the gradient is not finite.
    """
    for group in learner.optimizer.param_groups:
        group["lr"] = rate
    learner.optimizer.zero_grad(set_to_none=True)
    loss = learner.model.loss_sum(batch) / batch.tokens
    loss.backward()
    norm = clip_grad_norm_(learner.model.parameters(), clip_norm)
    if not bool(torch.isfinite(norm)):
        raise TrainError(
            f"step {learner.step + 1}: the gradient is not finite at loss {loss.item()}. "
            "Lower learning_rate or lengthen warmup_steps, and train into another folder"
        )
    learner.optimizer.step()
    return float(loss.item())


def learning_rate(step: int, config: Config) -> float:
    """Rise linearly over `warmup_steps`, then fall to 0 as half a cosine (Loshchilov and Hutter, arXiv 1608.03983)."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    left = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * left))


def _final(learner: Learner, config: Config, corpus: Corpus, origin: Origin) -> dict[str, Any]:
    return {
        "preset": config.preset,
        "steps": learner.step,
        **report(learner.model, corpus, config, origin.samples),
        "parameters": sum(p.numel() for p in learner.model.parameters()),
        "samples": origin.samples,
        "failed": learner.failed,
        "data_version": origin.version,
    }


def _stand(out: Path, config: Config, reader: ShardReader) -> Learner:
    """Return where training stands: the newest checkpoint under `out`, or the beginning."""
    checkpoints = checkpoint.saved(out)
    if not checkpoints:
        return begin(config, reader)
    learner, before, origin = checkpoint.restore(checkpoints[-1])
    _require_same(out, before.model_dump(), config.model_dump())
    _require_origin(checkpoints[-1], origin, Origin.of(reader))
    return learner


def _require_same(out: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to go on with other settings."""
    differing = [f"{n} was {then[n]}, now {now[n]}" for n in then if then[n] != now[n]]
    if differing:
        raise TrainError(
            f"{out} holds a training run with other settings: {'; '.join(differing)}. "
            "Give the same ones to go on with it, or another folder to start anew"
        )


def _require_origin(folder: Path, origin: Origin, now: Origin) -> None:
    """Refuse to go on with other data than the checkpoint's."""
    if origin.version != now.version:
        raise TrainError(
            f"{folder}: was fed dataset version {origin.version[:12]}, but the data given is version "
            f"{now.version[:12]}. Give the data it was fed to go on, or another folder to train anew on this"
        )
    if origin.samples != now.samples:
        raise TrainError(
            f"{folder}: was fed {origin.samples} samples of version {origin.version[:12]}, of which {now.samples} are "
            "left: some were erased. What this model learned from them stays in it: train anew into another folder"
        )


def _require_samples(reader: ShardReader, config: Config, data: str) -> None:
    if len(reader) <= config.held_out:
        raise TrainError(
            f"{data}: holds {len(reader)} samples, of which held_out takes {config.held_out}: none is left to train on"
        )


def _require_budget(learner: Learner, config: Config, samples: int, failed: list[tuple[str, str]]) -> None:
    drawn = max(samples, (learner.step + 1) * config.batch_size)
    if learner.failed > config.max_failed_fraction * drawn:
        reasons = ", ".join(f"{reason} ({n})" for reason, n in Counter(r for _, r in failed).most_common())
        raise TrainError(
            f"step {learner.step + 1}: {learner.failed} drawn samples could not be used, more than max_failed_fraction "
            f"{config.max_failed_fraction} of {drawn}. Of this step: {reasons}, such as {failed[0][0]}. "
            "Mend the recipe that wrote them, or raise max_failed_fraction"
        )


def _start_over(out: Path) -> None:
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    for name in ("metrics.jsonl", "final.json"):
        (out / name).unlink(missing_ok=True)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold `out` for this process; the lock goes with the process, however it ends."""
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
def _deterministic(threads: int) -> Iterator[None]:
    """Have torch add in the same order every time: deterministic kernels, a fixed number of threads."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(mode=before[1])
