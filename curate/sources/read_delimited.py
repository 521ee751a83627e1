"""URL lists in csv and tsv with a header line, read in blocks.

csv quotes as RFC 4180 says. tsv does not quote at all, as IANA's text/tab-separated-values says: in a caption a
quotation mark is only that, and one that is never closed cannot swallow the rows after it.
"""

import csv
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv

from curate.errors import InputError
from curate.sources.files import InputFile, expect_columns, expect_text
from curate.sources.rows import BATCH_ROWS, broken_rows, rows

_BLOCK_BYTES = 2 << 20  # also the longest row; Arrow reads up to 32 blocks ahead: 8 MiB ones took 440 MB, these 240
_HEADER_BYTES = 1 << 20
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def read_delimited(file: InputFile, kind: str, url: str, caption: str | None) -> Iterator[pa.Table]:
    """Yield the rows of a file of `kind` csv or tsv; those with a wrong number of fields come last, as `bad_row`.

    Raises:
        InputError: it is not such a file, or a column is missing.
    """
    expect_text(file, kind)
    names = [name for name in (url, caption) if name is not None]
    expect_columns(file, names, _header(file, kind))
    broken = 0

    def note(_row: pyarrow.csv.InvalidRow) -> str:
        nonlocal broken
        broken += 1
        return "skip"

    with file.open() as stream:
        try:
            for batch in pyarrow.csv.open_csv(stream, *_options(kind, names, note)):
                yield rows(batch[url], None if caption is None else batch[caption])
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{file.path}: cannot be read to its end as {kind}: a row is longer than {_BLOCK_BYTES >> 20} MiB, "
                "or a quotation mark is never closed"
            ) from error
    for start in range(0, broken, BATCH_ROWS):
        yield broken_rows(min(BATCH_ROWS, broken - start))


def _options(kind: str, names: list[str], note: object) -> tuple[object, object, object]:
    reading = pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES)
    parsing = pyarrow.csv.ParseOptions(
        delimiter=_DELIMITERS[kind],
        quote_char='"' if kind == "csv" else False,
        newlines_in_values=kind == "csv",
        invalid_row_handler=note,
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
