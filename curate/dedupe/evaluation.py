"""Evaluation sets given as files: the texts that a test asks and expects, item by item."""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, model_validator

from curate.errors import InputError, StorageError, nearest
from curate.storage import Folder, input_file

SUFFIXES = (".parquet", ".jsonl", ".json", ".csv", ".tsv", ".txt", ".jsonl.gz", ".csv.gz", ".tsv.gz", ".txt.gz")
Row = dict[str, Any]


class TextSet(BaseModel):
    """Where the texts of an evaluation set are: a file, a folder of files or several of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | tuple[str, ...] = Field(description="file or folder, or several: parquet, jsonl, json, csv, tsv, txt")
    query: str | None = Field(None, description="column of what is asked")
    label: str | None = Field(None, description="column of what is to be answered; a list holds several answers")
    columns: tuple[str, ...] = Field((), description="columns of texts that stand for themselves")
    id: str | None = Field(None, description="column that names an item; rows are counted from 0 if not set")

    @model_validator(mode="after")
    def _columns_are_told_once(self) -> "TextSet":
        if self.columns and (self.query or self.label):
            raise ValueError("name either `columns`, or `query` and `label`")
        return self


@dataclass(frozen=True)
class Item:
    """One item of an evaluation set."""

    id: str
    queries: tuple[str, ...]
    labels: tuple[str, ...]


def read_set(name: str, texts: TextSet) -> list[Item]:
    """Read all items of a set.

    Raises:
        InputError: a file is missing, empty, not what its name says, or lacks a column.
    """
    items: list[Item] = []
    for file in _files(texts.path):
        rows = enumerate(_read(file), start=len(items))
        items += [_item(row, texts, str(number), file) for number, row in rows]
    if not any(item.queries or item.labels for item in items):
        raise InputError(f"{name}: {texts.path}: no item has any text in the columns that are named")
    return items


def checked_sha256(name: str, texts: TextSet) -> str:
    """Hash the contents of a set's files, in their order, and see that its items can be read.

    Raises:
        InputError: they cannot.
        StorageError: the disk or the store refuses.
    """
    content = hashlib.sha256("".join(map(file_sha256, _files(texts.path))).encode()).hexdigest()
    _see_items(name, texts, content)
    return content


@lru_cache(maxsize=1000)
def _see_items(name: str, texts: TextSet, _content: str) -> None:
    read_set(name, texts)


def file_sha256(url: str) -> str:
    """Hash a file; one of this machine only once, until its size or its time of change differ."""
    folder, name = input_file(url)
    if not folder.is_local:
        return hashlib.sha256(folder.read(name)).hexdigest()
    stat = Path(folder.path(name)).stat()
    return _local_sha256(folder.path(name), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=100_000)
def _local_sha256(path: str, _size: int, _mtime_ns: int) -> str:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def _files(paths: str | Iterable[str]) -> list[str]:
    return [file for path in ([paths] if isinstance(paths, str) else paths) for file in files_at(path, SUFFIXES)]


def files_at(path: str, suffixes: tuple[str, ...]) -> list[str]:
    """Return a file, or the files of a folder and of the folders in it, by name.

    Raises:
        InputError: there is none.
    """
    if path.lower().endswith(suffixes):
        input_file(path)
        return [path]
    folder = Folder(path)
    if not folder.exists():
        raise InputError(f"{path}: no such folder, and no file whose name ends in one of {', '.join(suffixes)}")
    found = [f"{path.rstrip('/')}/{name}" for name in _below(folder, "", suffixes)]
    if not found:
        raise InputError(f"{path}: the folder holds no file whose name ends in one of {', '.join(suffixes)}")
    return found


def _below(folder: Folder, inside: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    for name in folder.names(inside):
        whole = f"{inside}/{name}" if inside else name
        if name.lower().endswith(suffixes):
            yield whole
        elif "." not in name:
            yield from _below(folder, whole, suffixes)


def _read(url: str) -> list[Row]:
    folder, name = input_file(url)
    data = folder.read(name)
    kind = next(s for s in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(s))
    try:
        if kind.endswith(".gz"):
            data = gzip.decompress(data)
        rows = _READERS[kind.removesuffix(".gz")](data)
    except (pa.ArrowException, ValueError, csv.Error, zlib.error, EOFError, OSError) as error:
        raise InputError(f"{url}: cannot be read as {kind[1:]}: {str(error).partition(chr(10))[0]}") from error
    if not rows:
        raise InputError(f"{url}: no items in it")
    return rows


def _lines(data: bytes) -> list[Row]:
    return [{"text": line} for line in data.decode("utf-8-sig").splitlines() if line.strip()]


def _jsonl(data: bytes) -> list[Row]:
    numbered = enumerate(data.decode("utf-8-sig").split("\n"), 1)
    return [_object(line, f"line {number}") for number, line in numbered if line.strip()]


def _object(text: str, where: str) -> Row:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{where} is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ValueError(f"{where} is not an object")  # noqa: TRY004 - of the file, not of the program
    return row


def _json(data: bytes) -> list[Row]:
    rows = json.loads(data)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is not a list of objects")
    return rows


def _delimited(delimiter: str, *, quoted: bool) -> Any:

    def read(data: bytes) -> list[Row]:
        csv.field_size_limit(1 << 30)
        lines = io.StringIO(data.decode("utf-8-sig"), newline="")
        return list(csv.DictReader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE))

    return read


_READERS = {
    ".parquet": lambda data: pq.read_table(io.BytesIO(data)).to_pylist(),
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _delimited(",", quoted=True),
    ".tsv": _delimited("\t", quoted=False),
    ".txt": _lines,
}  # fmt: skip


def _item(row: Row, texts: TextSet, number: str, file: str) -> Item:
    columns = texts.columns
    if not (columns or texts.query or texts.label):
        if list(row) != ["text"]:
            raise InputError(
                f"{file}: say which columns hold what is asked and answered, as `query` and `label`, or plain texts, "
                f"as `columns`. It has: {', '.join(map(str, row))}"
            )
        columns = ("text",)
    name = number if texts.id is None else str(_value(row, texts.id, file))
    queries = [text for column in (*columns, *filter(None, [texts.query])) for text in _texts(row, column, file)]
    labels = [] if texts.label is None else _texts(row, texts.label, file)
    return Item(name, tuple(queries), tuple(labels))


def _value(row: Row, column: str, file: str) -> Any:
    """Return what stands in a column; `a.b` is the part b of column a."""
    value: Any = row
    for part in [column] if column in row else column.split("."):
        if isinstance(value, dict) and part not in value:
            there = list(map(str, value))
            raise InputError(f"{file}: an item has no '{column}'.{nearest(part, there)} It has: {', '.join(there)}")
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _texts(row: Row, column: str, file: str) -> list[str]:
    value = _value(row, column, file)
    values = value if isinstance(value, list) else [value]
    if any(isinstance(part, dict | list) for part in values):
        raise InputError(f"{file}: '{column}' holds neither text nor a list of texts. Name a part of it: {column}.PART")
    return [str(part) for part in values if part is not None and str(part).strip()]
