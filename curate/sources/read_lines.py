"""URL lists a line each: jsonl (an object a line) and txt (a URL a line). Empty lines are no rows."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

import pyarrow as pa

from curate.errors import InputError
from curate.sources.files import InputFile, expect_columns, expect_text
from curate.sources.rows import BATCH_ROWS, rows

_CHUNK_BYTES = 1 << 20
_MOST_LINE_BYTES = 1 << 20
_MOST_BATCH_BYTES = 32 << 20
_BOM = b"\xef\xbb\xbf"

Parsed = tuple[str | None, str | None]


@dataclass
class _Batch:
    urls: list[str | None] = field(default_factory=list)
    captions: list[str | None] = field(default_factory=list)
    broken: list[bool] = field(default_factory=list)
    size: int = 0

    def add(self, parsed: Parsed | None, size: int) -> None:
        url, caption = parsed or (None, None)
        self.urls.append(url)
        self.captions.append(caption)
        self.broken.append(parsed is None)
        self.size += size

    @property
    def full(self) -> bool:
        return len(self.urls) >= BATCH_ROWS or self.size >= _MOST_BATCH_BYTES

    def table(self) -> pa.Table:
        text = pa.string()
        return rows(pa.array(self.urls, text), pa.array(self.captions, text), pa.array(self.broken, pa.bool_()))


def read_txt(file: InputFile) -> Iterator[pa.Table]:
    """Yield a row for each line; there are no captions.

    Raises:
        InputError: it is not a text file.
    """
    expect_text(file, "txt")
    yield from _tables(file, _decoded)


def _decoded(line: bytes) -> Parsed | None:
    try:
        return line.decode(), None
    except UnicodeDecodeError:
        return None


def read_jsonl(file: InputFile, url: str, caption: str | None) -> Iterator[pa.Table]:
    """Yield a row for each line; a line that is no object, or whose values are no text, fails as `bad_row`.

    Raises:
        InputError: it is not a text file, none of its first lines is an object, or none has a column.
    """
    expect_text(file, "jsonl")
    names: dict[str, None] = {}

    def parse(line: bytes) -> Parsed | None:
        row = _object(line)
        if row is None:
            return None
        names.update(dict.fromkeys(row))
        found = row.get(url), None if caption is None else row.get(caption)
        return found if all(value is None or _is_text(value) for value in found) else None  # type: ignore[return-value]

    for number, table in enumerate(_tables(file, parse)):
        if number == 0:
            _expect(file, [name for name in (url, caption) if name is not None], list(names))
        yield table


def _expect(file: InputFile, wanted: list[str], there: list[str]) -> None:
    if not there:
        raise InputError(f"{file.path}: expected jsonl by its name, but none of its first lines is a JSON object")
    expect_columns(file, wanted, there)


def _object(line: bytes) -> dict[str, object] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _is_text(value: object) -> bool:
    """Tell whether a value is text that can be stored: JSON can spell halves of characters."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tables(file: InputFile, parse: Callable[[bytes], Parsed | None]) -> Iterator[pa.Table]:
    batch = _Batch()
    with file.open() as stream:
        for line in _lines(stream):
            if line is None or line.strip():
                batch.add(None if line is None else parse(line), len(line or b""))
            if batch.full:
                yield batch.table()
                batch = _Batch()
    if batch.urls:
        yield batch.table()


def _lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield lines without their ends; None for one that is too long to be a row."""
    rest, skipping = b"", False
    first = True
    while chunk := stream.read(_CHUNK_BYTES):
        text = rest + (chunk.removeprefix(_BOM) if first else chunk)
        first = False
        *whole, rest = text.split(b"\n")
        for line in whole:
            yield None if skipping or len(line) > _MOST_LINE_BYTES else line.rstrip(b"\r")
            skipping = False
        if len(rest) > _MOST_LINE_BYTES:
            rest, skipping = b"", True
    if skipping or rest:
        yield None if skipping else rest.rstrip(b"\r")
