"""The data that a model was fed, as its checkpoints say it: enough to refuse other data, and to find a sample again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from curate.errors import TrainError
from curate.train.mixture import Source

_REMEDY = "Give the data it was fed to go on, or another folder to train anew on this"


@dataclass(frozen=True)
class Origin:
    """A run that a model was fed."""

    version: str
    """Of the manifest."""
    samples: int
    """That could be read: without the erased ones."""
    shards: tuple[tuple[str, str], ...]
    """Name and sha256 of every shard."""
    weight: float | None = None
    """In the mixture; None where samples were not weighed."""
    url: str = ""
    """Where it was read, as spelled on the command line."""
    erased: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Rows of each shard that were erased before, and so never read."""

    @classmethod
    def of(cls, source: Source) -> "Origin":
        """Take down what a source reads."""
        reader = source.reader
        shards = tuple((s.name, s.sha256) for s in reader.manifest.shards)
        return cls(reader.version, len(reader), shards, source.weight, source.url, reader.erased())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Origin":
        """Read what `to_json` returned."""
        return cls(**{**data, "shards": tuple((s["name"], s["sha256"]) for s in data["shards"])})

    def to_json(self) -> dict[str, Any]:
        """Return it as state.json holds it."""
        return {**asdict(self), "shards": [{"name": name, "sha256": sha256} for name, sha256 in self.shards]}


Origins = tuple[Origin, ...]
"""One for each source of a mixture."""


def require_same(folder: Path, fed: Origins, now: Origins) -> None:
    """Refuse to go on with other data than the checkpoint's."""
    if len(fed) != len(now):
        raise TrainError(f"{folder}: was fed {len(fed)} runs, now {len(now)} are given. {_REMEDY}")
    for then, given in zip(fed, now, strict=True):
        _require_origin(folder, then, given)
    if [origin.weight for origin in fed] != [origin.weight for origin in now]:
        said = " and ".join(", ".join(str(origin.weight) for origin in origins) for origins in (fed, now))
        raise TrainError(f"{folder}: the weights of its data were other than those given: {said}. {_REMEDY}")


def _require_origin(folder: Path, origin: Origin, now: Origin) -> None:
    if origin.version != now.version:
        raise TrainError(
            f"{folder}: was fed dataset version {origin.version[:12]}, but the data given is version "
            f"{now.version[:12]}. {_REMEDY}"
        )
    if origin.samples != now.samples:
        raise TrainError(
            f"{folder}: was fed {origin.samples} samples of version {origin.version[:12]}, of which {now.samples} are "
            "left: some were erased. What this model learned from them stays in it: train anew into another folder"
        )
