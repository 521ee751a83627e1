"""Input files at any fsspec URL: finding them, opening them, telling what they are, hashing their versions."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import fsspec
import pyarrow as pa

from curate.errors import InputError, StorageError, nearest
from curate.storage import refusals

_VERSION_FIELDS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")
_MAGIC = (
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"ARROW1", "an Arrow file"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"<", "HTML or XML"),
)
_HEAD_BYTES = 4096
TEXT = "text"
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True)
class InputFile:
    """One file of the input."""

    fs: Any
    path: str
    """As the file system spells it."""
    name: str
    """Below the folder that was searched, with `/`."""
    size: int
    version: str
    """Whatever the store says of the content's age: an etag or a time of change."""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open for reading, decompressed where the name ends in `.gz` or `.zst`.

        Raises:
            InputError: compressed data is damaged.
            StorageError: the disk or the store refuses.
        """
        compression = next((name for end, name in COMPRESSED.items() if self.name.endswith(end)), None)
        try:
            with self.fs.open(self.path, "rb", compression="gzip" if compression == "gzip" else None) as stream:
                yield _unzstd(stream) if compression == "zstd" else stream
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise self._damaged("gzip") from error
        except refusals() as error:
            if compression == "zstd" and getattr(error, "errno", None) is None:  # Arrow's own, not the system's
                raise self._damaged("zstd") from error
            raise StorageError(f"{self.path}: {getattr(error, 'strerror', None) or error}") from error

    def _damaged(self, compression: str) -> InputError:
        return InputError(f"{self.path}: not {compression}, or damaged: it cannot be decompressed to its end")


def _unzstd(stream: IO[bytes]) -> IO[bytes]:
    """Decompress all frames; Arrow's reader, unlike others, goes past the first and says where one is cut."""
    plain: IO[bytes] = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
    return plain


def file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it.

    Raises:
        InputError: the protocol is unknown or its package is not installed.
    """
    try:
        fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ValueError, ImportError) as error:
        raise InputError(f"{url}: cannot be opened: {error}") from error
    return fs, path


def find_files(url: str, suffixes: tuple[str, ...]) -> list[InputFile]:
    """Return a file, the files of a folder or those that match a glob, sorted by name.

    Of a folder only files with one of the `suffixes` count; names that begin with `.` or `_` never do.

    Raises:
        InputError: there are none.
        StorageError: the store refuses to list them.
    """
    fs, path = file_system(url)
    try:
        found = _matching(fs, path, suffixes)
    except refusals() as error:
        raise StorageError(f"{url}: {getattr(error, 'strerror', None) or error}") from error
    if found is None:
        raise InputError(f"{url}: no such file or folder, and no glob that matches a file")
    if not found:
        raise InputError(f"{url}: the folder holds no file that ends in {', '.join(suffixes)}")
    return sorted(found, key=lambda file: file.name)


def _matching(fs: Any, path: str, suffixes: tuple[str, ...]) -> list[InputFile] | None:
    if fs.isfile(path):
        return [input_file(fs, fs.info(path), path.rpartition("/")[2])]
    if fs.isdir(path):
        named = [(info, info["name"].rpartition("/")[2]) for info in fs.ls(path, detail=True)]
        return [input_file(fs, i, n) for i, n in named if n.endswith(suffixes) and not n.startswith((".", "_"))]
    if not any(wild in path for wild in "*?["):
        return None
    matches = [info for info in fs.glob(path, detail=True).values() if info["type"] == "file"]
    shown = [info for info in matches if not info["name"].rpartition("/")[2].startswith((".", "_"))]
    return [input_file(fs, info, info["name"]) for info in shown] or None


def input_file(fs: Any, info: dict[str, Any], name: str) -> InputFile:
    """Return what a listing says of a file."""
    version = next((str(info[field]) for field in _VERSION_FIELDS if info.get(field) is not None), "")
    return InputFile(fs, info["name"], name, int(info.get("size") or 0), version)


def snapshot(files: Iterable[InputFile]) -> str:
    """Hash the names, sizes and versions of files, in their order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(json.dumps([file.name, file.size, file.version]).encode())
    return digest.hexdigest()


def look(file: InputFile) -> str:
    """Name what the first bytes of a file look like; `TEXT` where they could be anything written."""
    with file.open() as stream:
        head = stream.read(_HEAD_BYTES)
    if not head:
        return "an empty file"
    known = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    return known or ("binary data" if b"\0" in head else TEXT)


def expect_text(file: InputFile, what: str) -> None:
    """Refuse a file that cannot be lines of text.

    Raises:
        InputError: it looks like something else, which the text names.
    """
    kind = look(file)
    if kind != TEXT:
        raise InputError(f"{file.path}: expected {what} by its name, but it looks like {kind}")


def expect_columns(file: InputFile, wanted: Iterable[str], there: list[str]) -> None:
    """Refuse a file that lacks a column, or has it twice.

    Raises:
        InputError: the text lists the columns that are there.
    """
    for name in wanted:
        if name not in there:
            shown = ", ".join(there[:20]) or "none"
            raise InputError(f"{file.path}: no column '{name}'.{nearest(name, there)} It has: {shown}")
        if there.count(name) > 1:
            raise InputError(f"{file.path}: column '{name}' is there {there.count(name)} times; rename all but one")
