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

from curate.errors import RunError, TrainError
from curate.shards import PastVersion, ShardReader
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

    def __init__(self, folder: Path, data: Sequence[str] = (), only: str | None = None) -> None:
        """Read what the checkpoint says, and open its data: where it was, or at `data`, in the order it was given in.

        With `only`, the URL of a run, that run alone is asked which of the sources it was, in any version it keeps.

        Raises:
            TrainError: there is no checkpoint, or the data is not what it was fed.
        """
        self.folder = checkpoint.newest(folder)
        self.state = checkpoint.read_state(self.folder)
        origins = self.state.origins
        if data and len(data) != len(origins):
            raise TrainError(f"{self.folder}: was fed {len(origins)} runs; give --data for each of them, or none")
        self._urls = list(data) or [origin.url for origin in origins]
        self.fed: list[ShardReader | PastVersion | None]
        if only is None:
            self.fed = [_need(self.folder, origin, url) for origin, url in zip(origins, self._urls, strict=True)]
        else:
            self.fed = [_version_of(only, origin.version) for origin in origins]
        sizes, weights = [origin.samples for origin in origins], [origin.weight for origin in origins]
        self._order = order_of(sizes, weights, self.state.config)
        self._failures = _failures(self.folder, self.state.step)

    def keys_of(self, url: str, progress: Progress) -> list[str]:
        """Return the keys of all samples that came from a URL, by reading every sample that is not erased."""
        keys: dict[str, None] = {}
        for reader in map(ShardReader, self._urls):
            for index in range(len(reader)):
                if index % SCANNED == 0:
                    progress({"event": "searched", "samples": index, "of": len(reader)})
                if _url(reader.read(index)) == url:
                    keys[reader.key(index)] = None
        return list(keys)

    def trace(self, key: str) -> Iterator[Trace]:
        """Yield what became of a sample in each source that holds it; or once that none does."""
        found = 0
        for source, fed in enumerate(self.fed):
            place = None if fed is None else fed.find(key)
            if fed is not None and place is not None:
                found += 1
                yield self._traced(key, source, fed, place)
        if not found:
            yield Trace(key, ", ".join(origin.url for origin in self.state.origins))

    def _traced(self, key: str, source: int, fed: ShardReader | PastVersion, place: tuple[int, int]) -> Trace:
        origin, (shard, row) = self.state.origins[source], place
        here = Trace(key, origin.url, origin.shards[shard][0], row)
        index = _index_then(origin, fed, shard, row)
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


def seen_by(folder: Path, run: str, keys: Sequence[str]) -> dict[str, Any] | None:
    """Say what a checkpoint learned from samples of a run, in whatever version it was fed; None where it was fed none.

    Raises:
        TrainError: it cannot be told: the run keeps nothing of the version that it was fed, or what says which samples
            could not be used is gone.
    """
    history = History(folder, only=run)
    lost = [origin for origin, fed in zip(history.state.origins, history.fed, strict=True) if fed is None]
    same = [origin for origin in lost if Path(origin.url).resolve() == Path(run).resolve()]
    if same:
        raise TrainError(
            f"was fed version {same[0].version[:12]} of this run, of which nothing is kept here: whether it saw a "
            "sample cannot be told"
        )
    if len(lost) == len(history.fed):
        return None
    found = {key: [trace for trace in history.trace(key) if trace.shard] for key in keys}
    return {
        "checkpoint": str(history.folder),
        "step": history.state.step,
        "started_from": history.state.config.start_from,
        "samples": {key: [_sighting(trace) for trace in traces] for key, traces in found.items() if traces},
        "used": any(trace.used for traces in found.values() for trace in traces),
    }


def _sighting(trace: Trace) -> dict[str, Any]:
    return {"status": trace.status, "steps": list(trace.steps), "vocabulary": trace.vocabulary}


def _with(trace: Trace, **more: Any) -> Trace:
    return Trace(**{**asdict(trace), **more})


def _need(folder: Path, origin: Origin, url: str) -> ShardReader | PastVersion:
    found = _version_of(url, origin.version)
    if found is None:
        raise TrainError(
            f"{folder}: was fed dataset version {origin.version[:12]} of {origin.url}, but the run there is version "
            f"{ShardReader(url).version[:12]}. Give --data with the version that it was fed"
        )
    return found


def _version_of(url: str, version: str) -> ShardReader | PastVersion | None:
    """Open a version of a run: the one that is there, or one that it keeps the places of since it was rewritten."""
    reader = ShardReader(url)
    if reader.version == version:
        return reader
    try:
        return PastVersion(url, version)
    except RunError:
        return None


def _index_then(origin: Origin, fed: ShardReader | PastVersion, shard: int, row: int) -> int | None:
    """Return the number that a row had when training began; None where it was erased before."""
    entries = fed.manifest.shards
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
