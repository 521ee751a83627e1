"""Features of samples beside the shards that they were made from: an array a shard, a row for each of its rows.

RUN/features/FINGERPRINT/
    00000.npy       [rows, ...], in the order of 00000.tar; zeros where a row has no features
    00000.json      what the array belongs to, see `FeatureShard`; written after it, so that it says that it is whole
    features.json   what made them all; written last
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import IntegrityError, StorageError
from curate.shards.local_copy import LocalCopy
from curate.shards.manifest import ShardEntry
from curate.storage import Folder

FOLDER = "features"
_HEAD = "features.json"
FORMAT = "curate-features-1"


@dataclass(frozen=True)
class FeatureShard:
    """The features of one shard."""

    shard_sha256: str
    """Of the tar that they were made from: a shard that was written anew has none."""
    sha256: str
    """Of the array's file."""
    bytes: int
    """Of the array's file."""
    dtype: str
    shape: tuple[int, ...]
    missing: Mapping[str, str]
    """Why a row, by number, has none."""


class Features:
    """The features that one fingerprint names, in a run."""

    def __init__(self, run: str, fingerprint: str, cache: str | None = None) -> None:
        """Keep the place. Arrays of a run that is not on this machine are copied into `cache` when first read from."""
        self._folder = Folder(run) / FOLDER / fingerprint
        remote = cache is not None and not self._folder.is_local
        self._copies = LocalCopy(self._folder, str(cache), fingerprint) if remote else None
        self.fingerprint = fingerprint
        self._open = lru_cache(256)(self._opened)

    @property
    def url(self) -> str:
        """Where they lie."""
        return self._folder.url

    def has(self, entry: ShardEntry) -> bool:
        """Whether a shard's features are here, whole, and of that very shard."""
        try:
            found = self._record(entry.name)
            return found.shard_sha256 == entry.sha256 and self._folder.size(_array(entry.name)) == found.bytes
        except (StorageError, IntegrityError):
            return False

    def cover(self, shards: Sequence[ShardEntry]) -> bool:
        """Whether features of just these shards are here, all of them.

        Raises:
            IntegrityError: what says so is damaged.
        """
        if not self._folder.exists(_HEAD):
            return False
        try:
            listed = json.loads(self._folder.read(_HEAD))["shards"]
            return [(e["name"], e["sha256"]) for e in listed] == [(e.name, e.sha256) for e in shards]
        except (ValueError, TypeError, KeyError) as error:
            raise IntegrityError(f"{self.url}/{_HEAD}: is damaged ({error}). Delete it, and make it again") from error

    @contextmanager
    def writing(self, entry: ShardEntry, row: tuple[int, ...], dtype: str) -> Iterator[tuple[Any, dict[str, str]]]:
        """Give an array [rows, *row] to fill, and a dict for the reasons of rows that are not; then store both."""
        missing: dict[str, str] = {}
        shape = (entry.samples, *row)
        with self._folder.writing(_array(entry.name)) as local:
            table = np.lib.format.open_memmap(local, "w+", np.dtype(dtype), shape)
            yield table, missing
            table.flush()
            record = FeatureShard(entry.sha256, _sha256(local), local.stat().st_size, dtype, shape, missing)
        self._folder.write(_record(entry.name), _spelled(asdict(record)))

    def finish(self, made_by: Mapping[str, Any], shards: Sequence[ShardEntry]) -> None:
        """Write down what made the features of all these shards, and remove what a killed process left half written."""
        self._folder.sweep("")
        listed = [{"name": e.name, "sha256": e.sha256, "rows": e.samples, **self._sums(e.name)} for e in shards]
        content = {"format": FORMAT, "fingerprint": self.fingerprint, "made_by": made_by, "shards": listed}
        self._folder.write(_HEAD, _spelled(content))

    def carry_over(self, old: ShardEntry, new: ShardEntry, rows: Sequence[int]) -> bool:
        """Store the features of a shard that was written anew: those rows of the old one's, none made again.

        Returns:
            Whether the old shard had any.

        Raises:
            IntegrityError: they are damaged.
        """
        if not self.has(old):
            return False
        was = self._record(old.name)
        place = {row: n for n, row in enumerate(rows)}
        with self.writing(new, was.shape[1:], was.dtype) as (table, missing):
            for row, n in place.items():
                table[n] = self.read(old.name, row)
            missing.update({str(place[int(r)]): why for r, why in was.missing.items() if int(r) in place})
        return True

    def relist(self, shards: Sequence[ShardEntry]) -> None:
        """Say that these are the shards the features belong to, and delete those of all others.

        Features of shards that the run no longer has hold rows that may have been erased. Where some shard has none,
        nothing says that they are complete; what makes them goes on with those that are there.
        """
        if self._folder.exists(_HEAD):
            if not all(self.has(entry) for entry in shards):
                self._folder.delete(_HEAD)
            elif not self.cover(shards):
                self.finish(self._made_by(), shards)
        mine = {name for e in shards if self.has(e) for name in (_array(e.name), _record(e.name))}
        for name in set(self._folder.names()) - mine - {_HEAD}:
            self._folder.delete(name)
        self._open.cache_clear()

    def _made_by(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._folder.read(_HEAD))["made_by"])
        except (ValueError, TypeError, KeyError) as error:
            raise IntegrityError(f"{self.url}/{_HEAD}: is damaged ({error}). Delete it, and make it again") from error

    def missing(self, shard: str, row: int) -> str | None:
        """Return why a row has no features; None where it has."""
        return self._open(shard).missing.get(str(row))

    def read(self, shard: str, row: int) -> NDArray[Any]:
        """Return the features of a row.

        Raises:
            StorageError: they cannot be read.
            IntegrityError: they are not what was written.
        """
        of = self._open(shard)
        size = math.prod(of.shape[1:]) * np.dtype(of.dtype).itemsize
        start = of.bytes - (of.shape[0] - row) * size
        name = _array(shard)
        folder = self._folder if self._copies is None else self._copies.bring({name: of.sha256})
        data = folder.read_range(name, start, start + size)
        if len(data) != size:
            raise IntegrityError(f"{self.url}/{name}: ends before byte {start + size}. Make it again")
        return np.frombuffer(data, of.dtype).reshape(of.shape[1:])

    def _opened(self, shard: str) -> FeatureShard:
        return self._record(shard)

    def _record(self, shard: str) -> FeatureShard:
        name = _record(shard)
        try:
            values = json.loads(self._folder.read(name))
            return FeatureShard(**{**values, "shape": tuple(values["shape"])})
        except (ValueError, TypeError, KeyError) as error:
            raise IntegrityError(f"{self.url}/{name}: is damaged ({error}). Delete it, and make it again") from error

    def _sums(self, shard: str) -> dict[str, Any]:
        record = self._record(shard)
        return {"features_sha256": record.sha256, "missing": len(record.missing)}


def stored_features(run: str) -> list[str]:
    """Return the fingerprints of the features that lie in a run."""
    return Folder(run).names(FOLDER)


def _array(shard: str) -> str:
    return shard.removesuffix(".tar") + ".npy"


def _record(shard: str) -> str:
    return shard.removesuffix(".tar") + ".json"


def _spelled(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
