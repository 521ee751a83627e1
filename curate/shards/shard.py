"""One shard opened for reading: its index mapped, its tar read by offset."""

import hashlib
import os
import sys
from collections.abc import Callable
from functools import partial

import pyarrow as pa

from curate.errors import IntegrityError, StorageError
from curate.shards.index import Index, index_name
from curate.shards.manifest import ShardEntry
from curate.storage import Folder

# Members lie side by side, so one read and a cut from it serve a small sample best; from about here on copying the
# picture twice costs more than two further reads (100 KB: 10.9 us against 9.1 us). A remote read is never cheap.
_ONE_COPY = 1 << 15


class OpenShard:
    """A shard and its index; `fetch(start, stop)` reads bytes of the tar."""

    def __init__(self, index: Index, fetch: Callable[[int, int], bytes], where: str, together: int) -> None:
        """Keep what reads; `where` names the shard in errors, samples of up to `together` bytes take one fetch."""
        self.index, self._fetch, self._where, self._together = index, fetch, where, together

    def read(self, row: int) -> dict[str, bytes]:
        """Return the members of a row by extension.

        Raises:
            IntegrityError: the tar ends early.
            StorageError: it cannot be read.
        """
        index = self.index
        first, last = index.starts[row], index.starts[row + 1] - 1
        start = index.offsets[first]
        stop = index.offsets[last] + index.sizes[last]
        apart = stop - start > self._together
        data = b"" if apart else self._whole(start, stop)
        members = {}
        for m in range(first, last + 1):
            at, size = index.offsets[m], index.sizes[m]
            part = self._whole(at, at + size) if apart else data[at - start : at - start + size]
            members[index.extensions[index.codes[m]]] = part
        return members

    def _whole(self, start: int, stop: int) -> bytes:
        data = self._fetch(start, stop)
        if len(data) != stop - start:
            raise IntegrityError(f"{self._where}: ends before byte {stop}. `curate check` lists every fault.")
        return data


class _LocalTar:
    """A file that stays open as long as someone may read: closing sooner would let its number be reused."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _refused(path, error) from error

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)

    def fetch(self, start: int, stop: int) -> bytes:
        try:
            return os.pread(self.number, stop - start, start)
        except OSError as error:
            raise _refused(self.path, error) from error


def open_shard(folder: Folder, shards: tuple[ShardEntry, ...], number: int) -> OpenShard:
    """Open shard `number` of RUN/shards. Its samples are not hashed: that is `check_shards`' work.

    Raises:
        IntegrityError: index or size are not what the manifest says.
        StorageError: the shard cannot be read.
    """
    entry = shards[number]
    index = open_index(folder, entry)
    size = folder.size(entry.name)
    where = f"{folder.url}/{entry.name}"
    if size != entry.bytes:
        raise IntegrityError(f"{where}: has {size} bytes, and the manifest says {entry.bytes}")
    if folder.is_local:
        return OpenShard(index, _LocalTar(folder.path(entry.name)).fetch, where, _ONE_COPY)
    return OpenShard(index, partial(folder.read_range, entry.name), where, sys.maxsize)


def open_index(folder: Folder, entry: ShardEntry) -> Index:
    """Open the index of a shard, by memory map where it is local.

    Raises:
        IntegrityError: it is not the one the manifest names.
        StorageError: it cannot be read.
    """
    name = index_name(entry.name)
    where = f"{folder.url}/{name}"
    buffer = _mapped(folder.path(name)) if folder.is_local else pa.py_buffer(folder.read(name))
    if hashlib.sha256(buffer).hexdigest() != entry.index_sha256:  # a damaged one could lead Arrow to wild memory
        raise IntegrityError(f"{where}: sha256 differs from the manifest's. `curate check` lists every fault.")
    index = Index(buffer, where)
    if len(index) != entry.samples:
        raise IntegrityError(f"{where}: names {len(index)} samples, and the manifest says {entry.samples}")
    return index


def _mapped(path: str) -> pa.Buffer:
    try:
        return pa.memory_map(path).read_buffer()
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: str, error: OSError) -> StorageError:
    return StorageError(f"{path}: {os.strerror(error.errno or 0)}. Restore the file or mend access, then try again.")
