"""Files at any fsspec URL: whole or not at all.

An object store publishes what was written before an exception, so nothing is streamed to its final name: bytes are
complete in memory or in a local temporary file first, then they appear in one step (rename here, one upload there).
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from curate.errors import InputError, StorageError

_TEMPORARY = ".tmp-"


class Folder:
    """A folder at a local path or any fsspec URL. Picklable; names inside are relative, with `/`."""

    def __init__(self, url: str) -> None:
        """Keep the URL; nothing is touched until a method is called."""
        self.url = url.rstrip("/") if "://" in url else os.path.abspath(url)  # noqa: PTH100 - keeps a missing path
        self._opened: tuple[int, tuple[Any, str]] | None = None

    def __reduce__(self) -> tuple[type["Folder"], tuple[str]]:
        """Pickle by URL: a connection never travels."""
        return type(self), (self.url,)

    def __repr__(self) -> str:
        return f"Folder({self.url!r})"

    def __truediv__(self, name: str) -> "Folder":
        """Return the folder `name` inside this one."""
        return Folder(f"{self.url}/{name}")

    @property
    def _fs_root(self) -> tuple[Any, str]:
        pid = os.getpid()  # no connection survives a fork: a child makes its own
        if self._opened is None or self._opened[0] != pid:
            self._opened = pid, self._open()
        return self._opened[1]

    def _open(self) -> tuple[Any, str]:
        try:
            fs, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            raise StorageError(f"{self.url}: cannot be opened: {error}") from error
        return fs, root.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether this is a folder of this machine, which can be renamed into and mapped to memory."""
        return isinstance(self._fs_root[0], LocalFileSystem)

    def path(self, name: str) -> str:
        """Return what the file system calls `name`; a real path where `is_local`."""
        return f"{self._fs_root[1]}/{name}" if name else self._fs_root[1]

    def exists(self, name: str = "") -> bool:
        """Tell whether a file or folder is there."""
        with refusing(self.path(name)):
            return bool(self._fs_root[0].exists(self.path(name)))

    def names(self, folder: str = "") -> list[str]:
        """Return the sorted names directly inside a folder, hidden ones left out; none where it does not exist."""
        with refusing(self.path(folder)):
            try:
                found = self._fs_root[0].ls(self.path(folder), detail=False)
            except FileNotFoundError:
                return []
        names = (p.rstrip("/").rsplit("/", 1)[-1] for p in found)
        return sorted(n for n in names if n and not n.startswith("."))

    def size(self, name: str) -> int:
        """Return a file's bytes."""
        with refusing(self.path(name)):
            return int(self._fs_root[0].size(self.path(name)))

    def read(self, name: str) -> bytes:
        """Return a whole file."""
        with refusing(self.path(name)):
            return bytes(self._fs_root[0].cat_file(self.path(name)))

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        """Return bytes start (in) to stop (out) of a file."""
        with refusing(self.path(name)):
            return bytes(self._fs_root[0].cat_file(self.path(name), start=start, end=stop))

    def open(self, name: str) -> IO[bytes]:
        """Open a file for seeking reads."""
        with refusing(self.path(name)):
            stream: IO[bytes] = self._fs_root[0].open(self.path(name), "rb")
            return stream

    def open_native(self, name: str) -> pa.NativeFile:
        """Open a file for Arrow: mapped to memory where it is local, through its file system elsewhere."""
        if self.is_local:
            with refusing(self.path(name)):
                return pa.memory_map(self.path(name))
        return pa.PythonFile(self.open(name), mode="r")

    def read_parquet(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a small Parquet file, in this thread: its files are one partition's, and there are many."""
        with refusing(self.path(name)), self.open_native(name) as source:
            return pq.ParquetFile(source).read(None if columns is None else list(columns), use_threads=False)

    def write(self, name: str, data: bytes) -> None:
        """Make `data` appear under `name`, whole or not at all."""
        with self.writing(name) as local:
            local.write_bytes(data)

    @contextlib.contextmanager
    def writing(self, name: str, mode: int = 0o644) -> Iterator[Path]:
        """Give a local path to fill; on leaving without an exception it appears under `name` in one step."""
        target = self.path(name)
        with refusing(target):
            if self.is_local:
                parent = Path(target).parent
                parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=parent if self.is_local else None)
            os.close(handle)
            local = Path(temporary)
            try:
                yield local
                if self.is_local:
                    local.chmod(mode)
                    local.replace(target)
                else:
                    self._fs_root[0].put_file(str(local), target)
            finally:
                local.unlink(missing_ok=True)

    def create(self, name: str, data: bytes) -> bool:
        """Write a small file only if none is there; return False where one is. Atomic on disks and on S3."""
        fs, target = self._fs_root[0], self.path(name)
        with refusing(target):
            if self.is_local:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
            try:
                if self.is_local:
                    with Path(target).open("xb") as stream:
                        stream.write(data)
                else:
                    fs.pipe_file(target, data, mode="create")
            except FileExistsError:
                return False
        return True

    def make_private(self) -> None:
        """Have the folder there, for its owner alone; an object store has no folders to make."""
        if self.is_local:
            with refusing(self.url):
                Path(self.path("")).mkdir(mode=0o700, parents=True, exist_ok=True)
                Path(self.path("")).chmod(0o700)

    def sweep(self, folder: str) -> None:
        """Remove the temporary files that processes left below a local folder when they were killed."""
        if self.is_local:
            for left in Path(self.path(folder)).rglob(f"{_TEMPORARY}*"):
                left.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Remove a file or a whole folder; nothing happens where there is none."""
        with refusing(self.path(name)), contextlib.suppress(FileNotFoundError):
            self._fs_root[0].rm(self.path(name), recursive=True)


@contextlib.contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turn a refusal of disk or bucket into a StorageError that names the place."""
    try:
        yield
    except FileNotFoundError as error:
        raise StorageError(f"{what}: not found ({error.strerror or 'it vanished, or its bucket did'})") from error
    except refusals() as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise StorageError(f"{what}: {detail}. Make room or mend access; the same command continues.") from error


def refusals() -> tuple[type[Exception], ...]:
    """Return what file systems raise: OSError, and on S3 its client's own root, for no network or no credentials."""
    botocore = sys.modules.get("botocore.exceptions")
    return (OSError, botocore.BotoCoreError) if botocore else (OSError,)


def input_file(url: str) -> tuple[Folder, str]:
    """Split the URL of an input file into its folder and name.

    Raises:
        InputError: there is no such file.
    """
    head, _, tail = url.rpartition("/")
    folder = Folder(head or ("/" if url.startswith("/") else "."))
    if not tail or not folder.exists(tail):
        raise InputError(f"{url}: no such file")
    return folder, tail
