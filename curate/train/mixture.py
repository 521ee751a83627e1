"""The runs that a model is fed from: opened, mixed by weight, read by place."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from curate.errors import IntegrityError, StorageError, TrainError
from curate.shards import ShardReader
from curate.train.config import Training
from curate.train.damage import REASON, Damage, name_of, shard_of
from curate.train.dealing import At, Order, Together, Weighted
from curate.train.template import Unusable

ROOT = "sqrt"
"""Weighs a source by the square root of its size, as InstructBLIP does (Dai et al. 2023, arXiv 2305.06500, 2.4)."""


@dataclass(frozen=True)
class Source:
    """One run among those that are mixed."""

    url: str
    reader: ShardReader
    weight: float | None = None
    """Its share is this over the sum of all; None where samples are not weighed."""


class Mixture:
    """Samples of one or several runs in training order."""

    def __init__(self, sources: Sequence[Source], config: Training) -> None:
        """Fix the order; nothing is read yet.

        Raises:
            TrainError: no sample is left to train on.
        """
        self.sources, self.config = tuple(sources), config
        sizes = [len(source.reader) for source in sources]
        self._starts = list(accumulate(sizes, initial=0))
        if len(self) <= config.held_out:
            raise TrainError(
                f"{', '.join(source.url for source in sources)}: holds {len(self)} samples, of which held_out takes "
                f"{config.held_out}: none is left to train on"
            )
        self.trained = len(self) - config.held_out
        """Samples that are not held out."""
        self.damage = Damage(config.max_broken_shards)
        self._order = order_of(sizes, [source.weight for source in sources], config)

    def __len__(self) -> int:
        """Samples, those held out included."""
        return self._starts[-1]

    def training(self, place: int) -> At:
        """Return which sample of which source stands at a place of the training order."""
        return self._order.training(place)

    def held_out(self, number: int) -> At:
        """Return one of the samples that are never trained on."""
        return self._order.held_out(number)

    def number(self, at: At) -> int:
        """Return a sample's number among those of all sources."""
        return self._starts[at[0]] + at[1]

    def read(self, at: At) -> dict[str, bytes]:
        """Return the members of a sample by extension.

        Raises:
            Unusable: its shard is damaged.
            TrainError: so many shards are.
        """
        shard = shard_of(self._name(at))
        if shard not in self.damage:
            try:
                return self.sources[at[0]].reader.read(at[1])
            except (IntegrityError, StorageError) as error:
                self.damage.add(shard, str(error))
        raise Unusable(REASON)

    def key(self, at: At) -> str:
        """Return the key of a sample; of one in a damaged shard, `SHARD#ROW`."""
        name = self._name(at)
        return name if shard_of(name) in self.damage else self.sources[at[0]].reader.key(at[1])

    def _name(self, at: At) -> str:
        source = self.sources[at[0]]
        shard, row = source.reader.place(at[1])
        return name_of(source.url, source.reader.manifest.shards[shard].name, row)


def order_of(sizes: Sequence[int], weights: Sequence[float | None], config: Training) -> Order:
    """Return the training order of sources of these sizes."""
    given = [weight for weight in weights if weight is not None]
    if given:
        return Weighted(sizes, given, config.held_out, config.seed)
    return Together(sizes, config.held_out, config.seed)


def open_mixture(data: Iterable[str], config: Training, cache: str | None = None) -> Mixture:
    """Open runs that are spelled `URL` or `URL:WEIGHT`; remote shards are copied into `cache`, if there is one.

    Raises:
        TrainError: a weight is wrong, some have one and some have none, or no sample is left to train on.
        RunError: one is no finished run.
    """
    split = [split_weight(text) for text in data]
    _require_alike(split)
    return Mixture([_source(url, weight, cache) for url, weight in split], config)


def split_weight(text: str) -> tuple[str, str]:
    """Split `URL:WEIGHT` at the last colon, where a number or `sqrt` stands behind it; else there is no weight."""
    url, _, weight = text.rpartition(":")
    try:
        float(weight if weight != ROOT else "1")
    except ValueError:
        return text, ""
    return (url, weight) if url else (text, "")


def _require_alike(split: Sequence[tuple[str, str]]) -> None:
    if not split:
        raise TrainError("no data: name at least one run")
    weights = [weight for _, weight in split]
    if any(weights) != all(weights):
        without = next(url for url, weight in split if not weight)
        raise TrainError(f"{without}: has no weight, but other data has. Give every run one (RUN:2), or none")
    if ROOT in weights and set(weights) != {ROOT}:
        raise TrainError(f"weights are numbers or '{ROOT}', not both: sqrt weighs a run against those of the same kind")
    wrong = [f"{url}:{w}" for url, w in split if w and w != ROOT and not 0 < float(w) < math.inf]
    if wrong:
        raise TrainError(f"{wrong[0]}: a weight is a number over 0")


def _source(url: str, weight: str, cache: str | None) -> Source:
    reader = ShardReader(url, cache=cache)
    if not weight:
        return Source(url, reader)
    return Source(url, reader, math.sqrt(len(reader)) if weight == ROOT else float(weight))
