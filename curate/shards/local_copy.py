"""Files of a remote run on a local disk: copied whole when first read, held against their sha256, kept."""

import fcntl
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from curate.errors import IntegrityError
from curate.storage import Folder, refusing

_CHUNK = 1 << 20


class LocalCopy:
    """A folder CACHE/VERSION of files that came from elsewhere. Several processes may share it; nothing is evicted."""

    def __init__(self, source: Folder, cache: str, version: str) -> None:
        """Take files from `source` into a folder of this machine; `version` names what they belong to."""
        self._from, self.folder = source, Folder(cache) / version

    def bring(self, wanted: Mapping[str, str]) -> Folder:
        """Return a local folder that holds files, whole; `wanted` gives the sha256 that each must have.

        Raises:
            IntegrityError: they are not what they should be.
            StorageError: they cannot be read, or the disk has no room for them.
        """
        if not self._lacking(wanted):
            return self.folder
        first = next(iter(wanted))
        with refusing(f"{self._from.url}/{first} to {self.folder.url}"), self._alone(first):
            for name in self._lacking(wanted):  # anew: another process may have been quicker
                self._copy(name, wanted[name])
        return self.folder

    def _lacking(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not self._path(name).exists()]

    def _copy(self, name: str, sha256: str) -> None:
        part = self._path(f".part-{name}")  # the lock is ours, so what a killed process left is written over
        digest = hashlib.sha256()
        with self._from.open(name) as source, part.open("wb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != sha256:
            part.unlink()
            raise IntegrityError(
                f"{self._from.url}/{name}: sha256 differs from the one written down. `curate check` lists every fault."
            )
        part.replace(self._path(name))

    def _path(self, name: str) -> Path:
        return Path(self.folder.path(name))

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Let one process copy; the lock goes with the process."""
        path = self._path(f".lock-{Path(name).stem}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
