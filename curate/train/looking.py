"""Having frozen towers look at every picture of a run once, shard by shard."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import TrainError
from curate.shards import Features, ShardEntry
from curate.train.features import DTYPES, blank, cast, fingerprint, look, made_by, why_not
from curate.train.job import deterministic
from curate.train.learner import Learner, Progress, begin
from curate.train.mixture import Mixture, open_mixture
from curate.train.presets import configure
from curate.train.ranks import ranks
from curate.train.samples import Sample
from curate.train.sharding import Placement
from curate.train.template import Unusable


def store(preset: str, run: str, overrides: Mapping[str, str], dtype: str, progress: Progress) -> dict[str, Any]:
    """Store what a preset's frozen towers say of every picture of a run; shards that are done are left alone."""
    if dtype not in DTYPES:
        raise TrainError(f"--dtype {dtype}: give {' or '.join(DTYPES)}")
    config = configure(preset, overrides)
    with deterministic(config.threads), ranks() as among:
        mixture = open_mixture([run], config.model_copy(update={"held_out": 0, "max_broken_shards": 0}))
        learner = begin(config, mixture, Placement(among))
        reason = why_not(learner)
        if reason:
            raise TrainError(f"features of {preset} cannot be stored: {reason}")
        made = made_by(learner, dtype)
        work = _Work(learner, mixture, Features(run, fingerprint(made)), dtype)
        counts = work.carry_out(progress)
        work.features.finish(made, work.shards)
    return {"fingerprint": work.features.fingerprint, "features": work.features.url, **counts}


@dataclass
class _Work:
    learner: Learner
    mixture: Mixture
    features: Features
    dtype: str

    @property
    def shards(self) -> tuple[ShardEntry, ...]:
        return self.mixture.sources[0].reader.manifest.shards

    def carry_out(self, progress: Progress) -> dict[str, int]:
        counts = {"shards": len(self.shards), "made": 0, "pictures": 0}
        row = tuple(blank(self.learner).shape[1:])
        for number, entry in enumerate(self.shards):
            if self.features.has(entry):
                continue
            with self.features.writing(entry, row, self.dtype) as (table, missing):
                self._fill(number, table, missing)
            counts["made"] += 1
            counts["pictures"] += entry.samples - len(missing)
            progress({"event": "looked", "shard": entry.name, "of": len(self.shards), **counts})
        return counts

    def _fill(self, shard: int, table: Any, missing: dict[str, str]) -> None:
        """Look at the pictures of a shard, batch by batch; rows without one stay zero and get a reason."""
        missing |= {str(row): "erased" for row in range(len(table))}
        config, transform = self.learner.model.training_config, self.learner.examples.transform
        for batch in _batches(self._pictures(shard, missing), config.micro_batch or config.batch_size):
            seen = look(self.learner.model, transform.normalised(np.stack([pixels for _, pixels in batch])))
            table[[row for row, _ in batch]] = cast(seen, self.dtype)

    def _pictures(self, shard: int, missing: dict[str, str]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        reader, transform = self.mixture.sources[0].reader, self.learner.examples.transform
        for index in reader.numbers(shard):
            _, row = reader.place(index)
            sample = Sample(reader.read(index), random.Random(0))
            try:
                pixels = transform.decode(sample.seen(), sample.draw)
            except Unusable as reason:
                missing[str(row)] = str(reason)
            else:
                del missing[str(row)]
                yield row, pixels


def _batches(pictures: Iterator[Any], size: int) -> Iterator[list[Any]]:
    batch = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
