"""Whether a checkpoint learned from a sample, and in which steps.

Nothing was written down for it: the order of training is a function of the seed that can be inverted, and a checkpoint
names the shards, rows and weights that it was a function of.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curate.errors import TrainError
from curate.shards import ShardReader
from curate.train import checkpoint
from curate.train.architectures import kind_of
from curate.train.config import Training
from curate.train.damage import name_of
from curate.train.learner import TOKENIZER_SAMPLES, Progress
from curate.train.mixture import order_of
from curate.train.origin import Origin

SCANNED = 1000
"""Samples between two progress events of a search for a URL."""


@dataclass(frozen=True)
class Trace:
    """What became of one sample in one source of the data."""

    key: str
    run: str
    shard: str = ""
    row: int = -1
    status: str = "not_in_data"
    """used, or why not: not_in_data, erased (before training began), held_out, not_reached, failed."""
    steps: tuple[int, ...] = ()
    """That learned from it, counted from 1."""
    failed_steps: tuple[int, ...] = ()
    """That drew it and could not use it."""
    vocabulary: bool = False
    """Whether a vocabulary was learned from its text, among others."""

    @property
    def used(self) -> bool:
        """Whether anything in the checkpoint comes from it."""
        return bool(self.steps) or self.vocabulary


class History:
    """A checkpoint and the data that it was fed."""

    def __init__(self, folder: Path, data: Sequence[str]) -> None:
        """Read what the checkpoint says, and open its data: where it was, or at `data`, in the order it was given in.

        Raises:
            TrainError: there is no checkpoint, or the data is not what it was fed.
        """
        self.folder = checkpoint.newest(folder)
        self.state = checkpoint.read_state(self.folder)
        origins = self.state.origins
        if data and len(data) != len(origins):
            raise TrainError(f"{self.folder}: was fed {len(origins)} runs; give --data for each of them, or none")
        self.readers = [ShardReader(url) for url in data or [origin.url for origin in origins]]
        for origin, reader in zip(origins, self.readers, strict=True):
            _require_version(self.folder, origin, reader)
        sizes, weights = [origin.samples for origin in origins], [origin.weight for origin in origins]
        self._order = order_of(sizes, weights, self.state.config)
        self._failures = _failures(self.folder, self.state.step)

    def keys_of(self, url: str, progress: Progress) -> list[str]:
        """Return the keys of all samples that came from a URL, by reading every sample that is not erased."""
        keys: dict[str, None] = {}
        for reader in self.readers:
            for index in range(len(reader)):
                if index % SCANNED == 0:
                    progress({"event": "searched", "samples": index, "of": len(reader)})
                if _url(reader.read(index)) == url:
                    keys[reader.key(index)] = None
        return list(keys)

    def trace(self, key: str) -> Iterator[Trace]:
        """Yield what became of a sample in each source that holds it; or once that none does."""
        found = [(source, place) for source, r in enumerate(self.readers) if (place := r.find(key)) is not None]
        for source, (shard, row) in found:
            yield self._traced(key, source, shard, row)
        if not found:
            yield Trace(key, ", ".join(origin.url for origin in self.state.origins))

    def _traced(self, key: str, source: int, shard: int, row: int) -> Trace:
        origin = self.state.origins[source]
        here = Trace(key, origin.url, origin.shards[shard][0], row)
        index = _index_then(origin, self.readers[source], shard, row)
        if index is None:
            return _with(here, status="erased")
        config, trained = self.state.config, sum(o.samples for o in self.state.origins) - self.state.config.held_out
        read = min(trained, TOKENIZER_SAMPLES)
        places = self._order.places((source, index), max(self.state.step * config.batch_size, read))
        if places is None:
            return _with(here, status="held_out")
        drawn = sorted({p // config.batch_size + 1 for p in places if p < self.state.step * config.batch_size})
        names = {key, name_of(origin.url, here.shard, row)}
        failed = tuple(step for step in drawn if names & self._failures.get(step, set()))
        return _with(
            here,
            status="used" if len(failed) < len(drawn) else "failed" if drawn else "not_reached",
            steps=tuple(step for step in drawn if step not in failed),
            failed_steps=failed,
            vocabulary=_learned_vocabulary(config) and any(p < read for p in places),
        )


def trace(folder: str, key: str | None, url: str | None, data: Sequence[str], progress: Progress) -> dict[str, Any]:
    """Say what a checkpoint learned from the sample of a key, or from all samples of a URL.

    Raises:
        TrainError: not one of the two is given, there is no checkpoint, or the data is not what it was fed.
    """
    if (key is None) == (url is None):
        raise TrainError("give a sample's --key, or the --url that it came from")
    history = History(Path(folder), data)
    keys = history.keys_of(url, progress) if url is not None else [str(key)]
    found = [trace for key in keys for trace in history.trace(key)]
    return {
        "checkpoint": str(history.folder),
        "steps": history.state.step,
        "started_from": history.state.config.start_from,
        "used": any(trace.used for trace in found),
        "samples": [{**asdict(trace), "used": trace.used} for trace in found],
    }


def _with(trace: Trace, **more: Any) -> Trace:
    return Trace(**{**asdict(trace), **more})


def _require_version(folder: Path, origin: Origin, reader: ShardReader) -> None:
    if reader.version != origin.version:
        raise TrainError(
            f"{folder}: was fed dataset version {origin.version[:12]} of {origin.url}, but the run there is version "
            f"{reader.version[:12]}. Give --data with the version that it was fed"
        )


def _index_then(origin: Origin, reader: ShardReader, shard: int, row: int) -> int | None:
    """Return the number that a row had when training began; None where it was erased before."""
    entries = reader.manifest.shards
    erased = sorted(origin.erased.get(entries[shard].name, ()))
    if row in erased:
        return None
    before = sum(e.samples - len(origin.erased.get(e.name, ())) for e in entries[:shard])
    return before + row - bisect_left(erased, row)


def _failures(folder: Path, steps: int) -> dict[int, set[str]]:
    """Return the keys that could not be used, by step, from the metrics beside the checkpoints.

    Raises:
        TrainError: they are not there.
    """
    path = folder.parent.parent / "metrics.jsonl"
    try:
        lines = [json.loads(line) for line in path.read_bytes().splitlines()[:steps]]
        if len(lines) < steps:
            raise TrainError(f"{path}: does not hold the checkpoint's {steps} steps, which say what could not be used")
        return {line["step"]: {key for key, _ in line["failed"]} for line in lines if "failed" in line}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainError(
            f"{path}: cannot be read, and it alone says which samples were drawn but could not be used. "
            "Keep a checkpoint in the folder that it was written to"
        ) from error


def _learned_vocabulary(config: Training) -> bool:
    return any(not getattr(config, f"{name}_from", "") for name in kind_of(config).examples.VOCABULARIES)


def _url(members: dict[str, bytes]) -> str | None:
    try:
        facts = json.loads(members.get("json", b""))
    except ValueError:
        return None
    return facts.get("url") if isinstance(facts, dict) else None
