"""Documents of one side, good or bad, from the files that a user names."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import InputError, nearest
from curate.storage import input_file

BATCH = 1000  # rows of Parquet that are read at once


@dataclass(frozen=True)
class Side:
    """What a user says is good, or bad."""

    label: str
    """As the model will spell it, without `__label__`."""
    files: tuple[str, ...]
    """Paths of .jsonl, .parquet or .txt, the last with a document a line."""
    column: str = "text"

    def texts(self) -> Iterator[str]:
        """Yield the documents that have text, in the order of the files.

        Raises:
            InputError: a file is missing, of another format, broken, or lacks the column.
        """
        for path in self.files:
            yield from (text for text in _reader(path)(_local(path), self.column) if text and not text.isspace())


def sha256(path: str) -> str:
    """Return the hash of a file, 64 hex digits."""
    with _local(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _local(path: str) -> Path:
    folder, name = input_file(path)
    file = Path(folder.path(name))
    if not file.is_file():
        raise InputError(f"{path}: is no file on this machine. Fitting reads its files twice: copy them here")
    return file


def _reader(path: str) -> Callable[[Path, str], Iterator[str | None]]:
    readers = {".jsonl": _jsonl, ".parquet": _parquet, ".txt": _txt}
    try:
        return readers[Path(path).suffix]
    except KeyError as error:
        raise InputError(f"{path}: is none of {', '.join(readers)}") from error


def _txt(path: Path, _column: str) -> Iterator[str]:
    yield from (line for _, line in _lines(path))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                yield number, line.decode()
            except UnicodeDecodeError as error:
                raise InputError(f"{path}:{number}: is not UTF-8: {error.reason} at byte {error.start}") from error


def _jsonl(path: Path, column: str) -> Iterator[str | None]:
    for number, line in _lines(path):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"{path}:{number}: is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f"{path}:{number}: is no object with a key '{column}'")
        yield _text(row, column, f"{path}:{number}")


def _text(row: dict[str, Any], column: str, where: str) -> str | None:
    if column not in row:
        raise InputError(f"{where}: has no '{column}'.{nearest(column, row)} It has: {', '.join(sorted(row)[:10])}")
    text = row[column]
    if text is not None and not isinstance(text, str):
        raise InputError(f"{where}: '{column}' is no text but {type(text).__name__}")
    # JSON can spell half a surrogate pair, which is no character and has no bytes.
    return text and text.encode("utf-8", "replace").decode()


def _parquet(path: Path, column: str) -> Iterator[str | None]:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if column not in names:
                raise InputError(
                    f"{path}: has no column '{column}'.{nearest(column, names)} It has: {', '.join(names)}"
                )
            kind = file.schema_arrow.field(column).type
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                raise InputError(f"{path}: column '{column}' holds no text ({kind})")
            for batch in file.iter_batches(BATCH, columns=[column]):
                yield from batch.column(0).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: is no readable Parquet file: {error}") from error
