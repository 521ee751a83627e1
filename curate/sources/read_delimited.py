"""Rows of csv and tsv files with a header line, read in blocks.

csv quotes as RFC 4180 says. tsv does not quote at all, as IANA's text/tab-separated-values says: in a caption a
quotation mark is only that, and one that is never closed cannot swallow the rows after it.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv

from curate.errors import InputError
from curate.sources.files import InputFile, expect_columns, expect_text
from curate.sources.rows import BATCH_ROWS, Wanted, broken_rows, rows

_BLOCK_BYTES = 2 << 20  # Arrow reads up to 32 blocks ahead: 64 MiB ones took 900 MB, 16 MiB 560, 8 MiB 440, these 150
_GROWTH = 8
_HEADER_BYTES = 1 << 20
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def read_delimited(file: InputFile, kind: str, wanted: Wanted) -> Iterator[pa.Table]:
    """Yield the rows of a file of `kind` csv or tsv; those with a wrong number of fields come last, as `bad_row`.

    A block must hold the longest row: where one is longer, the file is read again in larger blocks from its beginning.

    Raises:
        InputError: it is not such a file, or a column is missing.
    """
    expect_text(file, kind)
    header = _header(file, kind)
    expect_columns(file, wanted.needed, header)
    names = wanted.present(header)
    done = 0
    block = _BLOCK_BYTES
    while True:
        broken = _Broken()
        try:
            for table in _past(done, _batches(file, kind, wanted, (names, block, broken))):
                done += table.num_rows
                yield table
            break
        except pa.ArrowInvalid as error:
            if block > wanted.most_bytes:
                raise InputError(
                    f"{file.path}: cannot be read to its end as {kind}: a row is longer than {block >> 20} MiB, "
                    "or a quotation mark is never closed"
                ) from error
            block = min(_GROWTH * block, max(block, wanted.most_bytes) + _BLOCK_BYTES)
    for start in range(0, broken.rows, BATCH_ROWS):
        yield broken_rows(wanted, min(BATCH_ROWS, broken.rows - start))


@dataclass
class _Broken:
    """Counts rows with a wrong number of fields."""

    rows: int = 0

    def __call__(self, _row: pyarrow.csv.InvalidRow) -> str:
        self.rows += 1
        return "skip"


def _past(done: int, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Leave the first `done` rows out: they were read before."""
    for table in tables:
        if done < table.num_rows:
            yield table.slice(done)
        done = max(0, done - table.num_rows)


def _batches(
    file: InputFile, kind: str, wanted: Wanted, how: tuple[dict[str, str], int, _Broken]
) -> Iterator[pa.Table]:
    names, block, broken = how
    with file.open() as stream:
        for batch in pyarrow.csv.open_csv(stream, *_options(kind, list(names.values()), block, broken)):
            found = {name: batch[named] for name, named in names.items()}
            yield rows(wanted, found, pa.nulls(batch.num_rows, pa.string()))


def _options(kind: str, names: list[str], block: int, broken: _Broken) -> tuple[object, object, object]:
    reading = pyarrow.csv.ReadOptions(use_threads=False, block_size=block)
    parsing = pyarrow.csv.ParseOptions(
        delimiter=_DELIMITERS[kind],
        quote_char='"' if kind == "csv" else False,
        newlines_in_values=kind == "csv",
        invalid_row_handler=broken,
    )
    # Bytes, not text: one value that is not UTF-8 would fail its whole block.
    types = {name: pa.binary() for name in names}
    columns = list(dict.fromkeys(names))
    return reading, parsing, pyarrow.csv.ConvertOptions(column_types=types, include_columns=columns, null_values=[])


def _header(file: InputFile, kind: str) -> list[str]:
    with file.open() as stream:
        head = stream.read(_HEADER_BYTES).decode("utf-8-sig", "replace")
    lines = io.StringIO(head, newline="")
    quoted = kind == "csv"
    try:
        return next(csv.reader(lines) if quoted else csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), [])
    except csv.Error as error:
        raise InputError(f"{file.path}: its first line is not a {kind} header: {error}") from error
