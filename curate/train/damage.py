"""Shards that cannot be read: their samples are left out, as long as no more are broken than a setting allows."""

from collections.abc import Iterable

from curate.errors import TrainError

REASON = "shard_damaged"
"""Why a sample of such a shard cannot be used."""


class Damage:
    """The broken shards that were met, by URL."""

    def __init__(self, most: int) -> None:
        """Allow as many as `most`."""
        self._most, self._whys = most, dict[str, str]()

    def __contains__(self, shard: str) -> bool:
        return shard in self._whys

    def add(self, shard: str, why: str) -> None:
        """Note a broken shard.

        Raises:
            TrainError: it is one too many.
        """
        self._whys.setdefault(shard, why)
        if len(self._whys) > self._most:
            others = f", broken shard number {len(self._whys)}" if self._most else ""
            raise TrainError(
                f"{shard}{others}: {why} Restore it from a copy (`curate check` lists every fault), and the same "
                f"command goes on; or leave its samples out with --set max_broken_shards={len(self._whys)}"
            )

    def share(self, samples: Iterable[str]) -> None:
        """Note the shards of samples that any process could not read.

        Raises:
            TrainError: together there are too many.
        """
        for shard in sorted({shard_of(sample) for sample in samples}):
            self.add(shard, "cannot be read by another process.")


def name_of(run: str, shard: str, row: int) -> str:
    """Return what a sample is called whose key cannot be read."""
    return f"{run}/shards/{shard}#{row}"


def shard_of(sample: str) -> str:
    """Return the shard in what `name_of` returned."""
    return sample.rpartition("#")[0]
