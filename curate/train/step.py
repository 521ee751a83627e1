"""The gradient of one step, the same for any split of its samples over micro-batches and processes."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from curate.train.batch import Batch
from curate.train.model import Architecture, Sums
from curate.train.ranks import Ranks
from curate.train.sharding import replicated


@dataclass(frozen=True)
class Work:
    """What one step learns from, on this process."""

    micros: Sequence[Batch]
    """As many as on any other process."""
    number: int
    """Of the step, which names its random draws."""
    ranks: Ranks


@dataclass(frozen=True)
class Learned:
    """Losses of a step, over all processes."""

    means: dict[str, float]
    counts: dict[str, int]

    def loss(self, weights: Mapping[str, float]) -> float:
        """Return what was minimised."""
        return sum(weights[name] * mean for name, mean in self.means.items())


class Tally:
    """Losses as they come in: learned from at once, and added up."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        """Take the weight of each loss's sum in what is minimised; others are left out."""
        self.weights = weights
        self.totals = dict.fromkeys(weights, 0.0)

    def learn(self, sums: Sums, *, idle: bool, beside: Sequence[torch.Tensor] = ()) -> None:
        """Add the gradient of weighted losses, and of terms `beside` them; an idle batch adds zero."""
        kept = {name: value.float() for name, value in sums.items() if name in self.weights}
        loss = torch.stack([*(self.weights[name] * value for name, value in kept.items()), *beside]).sum()
        if idle:
            loss = loss * 0
        else:
            for name, value in kept.items():
                self.totals[name] += float(value.detach())
        if loss.requires_grad:
            loss.backward()


def gradients(model: Architecture, work: Work) -> Learned:
    """Leave the step's gradient over all processes in the parameters; without any usable sample, do nothing."""
    from curate.train.compare import Comparing, Comparison

    counts = {name: round(n) for name, n in work.ranks.total(_own_counts(model, work)).items()}
    tally = Tally({name: model.WEIGHTS[name] / n for name, n in counts.items() if n})
    if not tally.weights:
        return Learned({}, counts)
    if isinstance(model, Comparing):
        Comparison(model, work, tally).learn()
    else:
        for number, batch in enumerate(work.micros):
            with draws(model, work, number):
                tally.learn(model(batch), idle=batch.idle)
    work.ranks.add_gradients(replicated(model.learns().values()))
    totals = work.ranks.total(tally.totals)
    return Learned({name: totals[name] / counts[name] for name in tally.weights}, counts)


def _own_counts(model: Architecture, work: Work) -> dict[str, float]:
    own: Counter[str] = Counter(dict.fromkeys(model.WEIGHTS, 0))
    for batch in work.micros:
        if not batch.idle:
            own.update(model.count(batch))
    return dict(own)


@contextmanager
def draws(model: Architecture, work: Work, micro: int) -> Iterator[None]:
    """Make dropout a function of (seed, step, process, micro-batch), and compute in the precision asked for."""
    config = model.training_config
    spelled = f"{config.seed},{work.number},{work.ranks.rank},{micro}".encode()
    torch.manual_seed(int.from_bytes(hashlib.blake2b(spelled, digest_size=7).digest(), "little"))
    with model.in_precision():
        yield
