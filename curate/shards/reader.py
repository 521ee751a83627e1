"""Reading any sample of a run by its number, at its offset, from a disk or any fsspec URL."""

from bisect import bisect_right
from functools import lru_cache, partial
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import IntegrityError, RunError, StorageError
from curate.shards.index import Index, index_name
from curate.shards.local_copy import LocalCopy
from curate.shards.manifest import Manifest, ShardEntry
from curate.shards.shard import OpenShard, open_index, open_shard
from curate.shards.tombstones import erased_keys
from curate.storage import Folder


class ShardReader:
    """The samples of a finished run, numbered in the manifest's order without the erased ones.

    Erasures count from the moment the reader was made, and travel with it when it is pickled. Files are opened when
    first read from; threads may share a reader.
    """

    manifest: Manifest
    version: str
    """Name of the dataset version, see `Manifest.version`."""
    cache: str | None
    """Local folder that remote shards are copied into."""

    def __init__(self, run: str, open_shards: int = 256, cache: str | None = None) -> None:
        """Open the run at a path or URL; `open_shards` bounds the files held open, two for each.

        Shards of a run that is not on this machine are copied into the folder `cache` when first read from, if there is
        one, and read from there; else each sample is one request.

        Raises:
            RunError: there is no finished dataset, or `cache` is not on this machine.
            IntegrityError: its manifest is malformed.
        """
        folder = Folder(run)
        if cache is not None and not Folder(cache).is_local:
            raise RunError(f"{cache}: shards are copied into a folder of this machine; give a local path")
        self.manifest, self._live = _published(folder)
        self.version = self.manifest.version
        self._setup(folder / "shards", open_shards, cache)
        live = (len(self._live.get(s, range(e.samples))) for s, e in enumerate(self.manifest.shards))
        self._starts = list(accumulate(live, initial=0))

    def _setup(self, folder: Folder, open_shards: int, cache: str | None) -> None:
        self._folder, self._open_shards, self.cache = folder, open_shards, cache
        copies = None if cache is None or folder.is_local else LocalCopy(folder, cache, self.version)
        self._open = lru_cache(open_shards)(partial(_open, folder, copies, self.manifest.shards))

    def __getstate__(self) -> dict[str, object]:
        """Leave open files behind."""
        return {name: value for name, value in vars(self).items() if name != "_open"}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Open files anew where they are read."""
        vars(self).update(state)
        self._setup(self._folder, self._open_shards, self.cache)

    def __len__(self) -> int:
        """How many samples can be read: erased ones are not counted."""
        return self._starts[-1]

    def key(self, i: int) -> str:
        """Return the key of sample `i`.

        Raises:
            IndexError: there is no sample `i`.
        """
        shard, row = self.place(i)
        return str(self._open(shard).index.keys[row])

    def read(self, i: int) -> dict[str, bytes]:
        """Return the members of sample `i` by extension: `{"jpg": ..., "json": ..., "txt": ...}`.

        Raises:
            IndexError: there is no sample `i`.
            IntegrityError: shard or index are not what the manifest says.
            StorageError: they cannot be read.
        """
        shard, row = self.place(i)
        return self._open(shard).read(row)

    def place(self, i: int) -> tuple[int, int]:
        """Return the shard of sample `i`, by number, and its row there; erased rows are counted, and never returned.

        Raises:
            IndexError: there is no sample `i`.
        """
        if not 0 <= i < self._starts[-1]:
            raise IndexError(f"sample {i} of {self._starts[-1]}")
        shard = bisect_right(self._starts, i) - 1
        row = i - self._starts[shard]
        live = self._live.get(shard)
        return shard, row if live is None else int(live[row])

    def find(self, key: str) -> tuple[int, int] | None:
        """Return shard and row of a key, erased or not, by one pass over the indexes; None where it is in no shard.

        Raises:
            IntegrityError: an index is not what the manifest says.
            StorageError: it cannot be read.
        """
        for number, entry in enumerate(self.manifest.shards):
            row = pc.index(open_index(self._folder, entry).keys, key).as_py()
            if row >= 0:
                return number, row
        return None

    def numbers(self, shard: int) -> range:
        """Return the numbers of the samples in a shard."""
        return range(self._starts[shard], self._starts[shard + 1])

    def erased(self) -> dict[str, list[int]]:
        """Return the rows of each shard that are erased; shards without any are left out."""
        shards = self.manifest.shards
        return {
            shards[number].name: np.setdiff1d(np.arange(shards[number].samples), live).tolist()
            for number, live in self._live.items()
        }


def _open(folder: Folder, copies: LocalCopy | None, shards: tuple[ShardEntry, ...], number: int) -> OpenShard:
    if copies is None:
        return open_shard(folder, shards, number)
    entry = shards[number]
    here = copies.bring({index_name(entry.name): entry.index_sha256, entry.name: entry.sha256})
    return open_shard(here, shards, number)


def _published(run: Folder) -> tuple[Manifest, dict[int, np.ndarray]]:
    """Read a manifest and, of its shards, the rows that are not erased; begin anew where another took its place."""
    while True:
        manifest = Manifest.load(run)
        try:
            return manifest, _live_rows(run, manifest)
        except (StorageError, IntegrityError):
            # A rewrite replaces the manifest and only then deletes the shards that the old one named.
            if Manifest.load(run).version == manifest.version:
                raise


def _live_rows(run: Folder, manifest: Manifest) -> dict[int, np.ndarray]:
    """Return, for each shard that holds an erased sample, the rows (int64) that are left."""
    erased = erased_keys(run)
    if not len(erased):
        return {}
    live = {}
    for number, entry in enumerate(manifest.shards):
        gone = pc.is_in(open_index(run / "shards", entry).keys, value_set=erased).to_numpy(zero_copy_only=False)
        if gone.any():
            live[number] = np.flatnonzero(~gone)
    return live


def shard_keys(run: Folder, name: str) -> list[str]:
    """Return the keys in shard `name`, erased ones included, in order.

    Raises:
        StorageError: its index cannot be read.
        IntegrityError: its index is damaged.
    """
    idx = index_name(name)
    data = (run / "shards").read(idx)
    return list(Index(pa.py_buffer(data), f"{run.url}/shards/{idx}").keys.to_pylist())
