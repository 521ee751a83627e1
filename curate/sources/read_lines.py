"""Rows a line each: jsonl (an object a line) and txt (a URL a line). Empty lines are no rows."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

import pyarrow as pa

from curate.errors import InputError
from curate.sources.files import InputFile, expect_columns, expect_text
from curate.sources.rows import BAD_ROW, BATCH_BYTES, BATCH_ROWS, MOST_ROW_BYTES, Wanted, rows

_CHUNK_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_ESCAPED = 3  # bytes of `\u0434` for each of the two that it stands for; spelled so, no text takes more

Parsed = tuple[str | None, ...]
"""A value for each wanted column."""


@dataclass
class _Batch:
    wanted: Wanted
    parsed: list[Parsed] = field(default_factory=list)
    failed: list[str | None] = field(default_factory=list)
    size: int = 0

    def add(self, parsed: Parsed | str, size: int) -> None:
        if isinstance(parsed, str):
            self.parsed.append((None,) * len(self.wanted.columns))
            self.failed.append(parsed)
        else:
            self.parsed.append(parsed)
            self.failed.append(None)
        self.size += size

    @property
    def full(self) -> bool:
        return len(self.parsed) >= BATCH_ROWS or self.size >= BATCH_BYTES

    def table(self) -> pa.Table:
        values = zip(*self.parsed, strict=True)
        found = {name: pa.array(column, pa.string()) for name, column in zip(self.wanted.columns, values, strict=True)}
        return rows(self.wanted, found, pa.array(self.failed, pa.string()))


def read_txt(file: InputFile, wanted: Wanted) -> Iterator[pa.Table]:
    """Yield a row for each line, which is the column that a row must have; the others are null.

    Raises:
        InputError: it is not a text file.
    """
    expect_text(file, "txt")

    def parse(line: bytes) -> Parsed | str:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return BAD_ROW
        return tuple(text if name == wanted.must else None for name in wanted.columns)

    yield from _tables(file, wanted, parse)


def read_jsonl(file: InputFile, wanted: Wanted) -> Iterator[pa.Table]:
    """Yield a row for each line; a line that is no object, or whose values are no text, fails as `bad_row`.

    Raises:
        InputError: it is not a text file, none of its first lines is an object, or none has a column.
    """
    expect_text(file, "jsonl")
    names: dict[str, None] = {}

    def parse(line: bytes) -> Parsed | str:
        row = _object(line)
        if row is None:
            return BAD_ROW
        names.update(dict.fromkeys(row))
        found = [_value(wanted, name, row.get(named or "")) for name, named in wanted.columns.items()]
        return tuple(found) if all(value is None or _is_text(value) for value in found) else BAD_ROW  # type: ignore[arg-type]

    for number, table in enumerate(_tables(file, wanted, parse)):
        if number == 0:
            _expect(file, wanted.needed, list(names))
        yield table


def _value(wanted: Wanted, name: str, value: object) -> object:
    if wanted.columns[name] is None:
        return None
    number = name in wanted.spelled and isinstance(value, int) and not isinstance(value, bool)
    return str(value) if number else value


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


def _tables(file: InputFile, wanted: Wanted, parse: Callable[[bytes], Parsed | str]) -> Iterator[pa.Table]:
    batch = _Batch(wanted)
    with file.open() as stream:
        for line in _lines(stream, _ESCAPED * wanted.most_bytes + MOST_ROW_BYTES):
            if line is None or line.strip():
                batch.add(wanted.too_long if line is None else parse(line), len(line or b""))
            if batch.full:
                yield batch.table()
                batch = _Batch(wanted)
    if batch.parsed:
        yield batch.table()


def _lines(stream: IO[bytes], most: int) -> Iterator[bytes | None]:
    """Yield lines without their ends; None for one of more than `most` bytes, which is not kept in memory."""
    kept: list[bytes] = []
    size = 0
    chunk = stream.read(_CHUNK_BYTES).removeprefix(_BOM)
    while chunk:
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            size += len(line)
            yield b"".join((*kept, line)).rstrip(b"\r") if size <= most else None
            kept, size = [], 0
        size += len(rest)
        kept = [*kept, rest] if size <= most else []
        chunk = stream.read(_CHUNK_BYTES)
    if size:
        yield b"".join(kept).rstrip(b"\r") if size <= most else None
