"""The training loop: one step after the other, every step a function of the one before."""

import math
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from curate.errors import CurateError, TrainError
from curate.train import checkpoint
from curate.train.batch import Batch
from curate.train.config import Training
from curate.train.corpus import Corpus, Drawn
from curate.train.damage import REASON, shard_of
from curate.train.learner import Learner, Progress
from curate.train.metrics import Metrics
from curate.train.optimizer import FACTOR, learning_rate
from curate.train.origin import Origins
from curate.train.ranks import Ranks
from curate.train.sharding import clip
from curate.train.step import Learned, Work, gradients


@dataclass(frozen=True)
class Run:
    """What the steps share."""

    out: Path
    learner: Learner
    config: Training
    corpus: Corpus
    origins: Origins
    ranks: Ranks
    progress: Progress
    told: set[str] = field(default_factory=set)
    """Broken shards that were told of."""


def train(run: Run) -> None:
    """Do the steps that are left, with a checkpoint after every `checkpoint_every` and after the last."""
    learner, steps = run.learner, run.config.steps
    run.progress({"event": "start", "step": learner.step, "steps": steps, "samples": len(run.corpus.mixture)})
    with Metrics(run.out / "metrics.jsonl", learner.step, writes=run.ranks.first) as metrics:
        while learner.step < steps:
            started = time.monotonic()
            line = _next_step(run)
            metrics.append(line)
            rate = run.config.batch_size / (time.monotonic() - started)
            run.progress({"event": "step", "steps": steps, **line, "samples_per_second": rate})
            if learner.step % run.config.checkpoint_every == 0 or learner.step == steps:
                metrics.sync()
                checkpoint.save(run.out, learner, run.origins, run.ranks)
                run.progress({"event": "checkpoint", "step": learner.step})


def _next_step(run: Run) -> dict[str, Any]:
    """Draw the step's samples, learn from them, and return its line of metrics."""
    learner = run.learner
    micros, failed = _drawn(run)
    _tell_damage(run, [name for name, reason in failed if reason == REASON])
    failures = [(key, reason) for key, reason in failed if reason != REASON]
    learner.failed += len(failures)
    _require_budget(run, failures)
    rate = learning_rate(learner.step, run.config)
    learned = train_step(learner, Work(micros, learner.step, run.ranks), rate)
    line: dict[str, Any] = {"step": learner.step + 1, "loss": None, "lr": rate, **learned.counts}
    if learned.means:
        line["loss"] = learned.loss(learner.model.WEIGHTS)
    if len(learned.counts) > 1:
        line["losses"] = learned.means
    if failed:
        line["failed"] = failed
    learner.step += 1
    return line


def _drawn(run: Run) -> tuple[list[Batch], list[tuple[str, str]]]:
    """Return this process's micro-batches of the next step, and what failed on any process."""
    own = run.config.batch_size // run.ranks.world
    first = run.learner.step * run.config.batch_size + run.ranks.rank * own
    size = run.config.micro_batch or own
    drawn, refused = _tried(run.corpus, [range(p, min(p + size, first + own)) for p in range(first, first + own, size)])
    told = run.ranks.everyone((str(refused) if refused else "", [f for d in drawn for f in d.failed]))
    reason = next((said for said, _ in told if said), "")
    if reason:
        raise refused or TrainError(reason)
    failed = [f for _, part in told for f in part]
    return [batch for d in drawn if (batch := _batch(run, d)) is not None], failed


def _tried(corpus: Corpus, places: list[range]) -> tuple[list[Drawn], CurateError | None]:
    """Draw, or return what was refused: a process that left alone would leave the others waiting for it."""
    try:
        return [corpus.draw(part) for part in places], None
    except CurateError as refused:
        return [], refused


def _batch(run: Run, drawn: Drawn) -> Batch | None:
    """Collate; where nothing can be used, several processes still need a batch to stay in step."""
    blank = run.config.blank_pictures
    if drawn.examples:
        return run.corpus.collate(drawn, blank_pictures=blank).to(run.ranks.device)
    if run.ranks.world == 1:
        return None
    spare = run.corpus.collate(run.corpus.spare(), blank_pictures=blank)
    return replace(spare.to(run.ranks.device), idle=True)


def train_step(learner: Learner, work: Work, rate: float) -> Learned:
    """Take one AdamW step; without any usable sample, none.

    Raises:
        TrainError: the gradient is not finite.
    """
    for group in learner.optimizer.param_groups:
        group["lr"] = rate * group[FACTOR]
    learner.optimizer.zero_grad(set_to_none=True)
    learned = gradients(learner.model, work)
    if not learned.means:
        return learned
    norm = clip(learner.model.learns().values(), learner.model.training_config.clip_norm, work.ranks)
    if not math.isfinite(norm):
        raise TrainError(
            f"step {learner.step + 1}: the gradient is not finite at losses {learned.means}. "
            "Lower learning_rate or lengthen warmup_steps, and train into another folder"
        )
    learner.optimizer.step()
    learner.model.after_step()
    return learned


def _tell_damage(run: Run, samples: list[str]) -> None:
    """Count the broken shards that any process met; they are in no budget of samples."""
    told = {shard_of(sample) for sample in samples} - run.told
    run.corpus.mixture.damage.share(samples)
    run.told.update(told)
    for shard in sorted(told):
        run.progress({"event": REASON, "shard": shard, "said": "its samples are left out"})


def _require_budget(run: Run, failed: list[tuple[str, str]]) -> None:
    learner, allowed = run.learner, run.config.max_failed_fraction
    drawn = max(len(run.corpus.mixture), (learner.step + 1) * run.config.batch_size)
    if learner.failed > allowed * drawn:
        reasons = ", ".join(f"{reason} ({n})" for reason, n in Counter(r for _, r in failed).most_common())
        raise TrainError(
            f"step {learner.step + 1}: {learner.failed} drawn samples could not be used, more than max_failed_fraction "
            f"{allowed} of {drawn}. Of this step: {reasons}, such as {failed[0][0]}. "
            "Mend the recipe that wrote them, or raise max_failed_fraction"
        )
