"""Rows of a file, read as its name says: Parquet, jsonl, csv or tsv, the text kinds also compressed."""

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from curate.errors import InputError
from curate.sources.files import COMPRESSED, InputFile
from curate.sources.read_delimited import read_delimited
from curate.sources.read_lines import read_jsonl
from curate.sources.read_parquet import read_parquet
from curate.sources.rows import Wanted


def suffixes(*text_kinds: str) -> tuple[str, ...]:
    """Return what names of files of these kinds end in, and of Parquet."""
    return (".parquet", *(f".{kind}{end}" for kind in text_kinds for end in ("", *COMPRESSED)))


def kind_of(file: InputFile, known: tuple[str, ...]) -> str:
    """Return the kind that a file's name says.

    Raises:
        InputError: the name ends in none of the `known` suffixes.
    """
    if not file.name.endswith(known):
        raise InputError(f"{file.path}: cannot tell its format: its name ends in none of {', '.join(known)}")
    plain = next((file.name.removesuffix(end) for end in COMPRESSED if file.name.endswith(end)), file.name)
    return plain.rpartition(".")[2]


def read_rows(file: InputFile, known: tuple[str, ...], wanted: Wanted) -> Iterator[pa.Table]:
    """Return an iterator over the rows of a file.

    Raises:
        InputError: the file is of another format than its name says, or lacks a column.
    """
    kind = kind_of(file, known)
    if kind == "parquet":
        return read_parquet(file, wanted)
    return read_jsonl(file, wanted) if kind == "jsonl" else read_delimited(file, kind, wanted)


def every_row(
    url: str, files: Iterable[InputFile], read: Callable[[InputFile], Iterator[pa.Table]]
) -> Iterator[pa.Table]:
    """Yield the tables of all files.

    Raises:
        InputError: there is no row in any of them.
    """
    found = 0
    for file in files:
        for table in read(file):
            found += table.num_rows
            yield table
    if not found:
        raise InputError(f"{url}: no rows in it")
