"""Labelled rows from a file: what people said is bad, beside what a stage reads or what was scored already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from curate.errors import InputError, nearest
from curate.storage import input_file

_BAD, _GOOD = {"1", "1.0", "true"}, {"0", "0.0", "false"}
SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl")


@dataclass(frozen=True)
class LabelFile:
    """Rows of a file, all of them labelled."""

    path: str
    rows: pa.Table
    bad: npt.NDArray[np.bool_]
    unlabelled: int
    """Rows that stand in the file without a label, and are left out."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column.

        Raises:
            InputError: there is none of this name.
        """
        return _column(self.rows, name, self.path)

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return a column of scores, float64[n], not-a-number where there is none.

        Raises:
            InputError: it holds something else.
        """
        column = self.column(name)
        blank = pc.equal(column, "") if pa.types.is_string(column.type) else None
        try:
            filled = column if blank is None else pc.if_else(blank, pa.scalar(None, pa.string()), column)
            numbers = filled.cast(pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(f"{self.path}: column '{name}' holds more than numbers ({column.type})") from error
        return np.asarray(numbers.to_numpy(), dtype=np.float64)

    def texts(self, name: str) -> list[str]:
        """Return a column of names of groups.

        Raises:
            InputError: a row has none.
        """
        column = self.column(name).cast(pa.string())
        empty = pc.fill_null(pc.equal(column, ""), fill_value=True)
        if pc.any(empty).as_py():
            row = pc.index(empty, value=True).as_py()
            raise InputError(f"{self.path}: labelled row {row + 1} has no '{name}': say which group it belongs to")
        return list(column.to_pylist())


def read_labels(path: str, label: str) -> LabelFile:
    """Read a file of labelled rows; the column `label` says true or 1 of what is bad, false or 0 of what is good.

    Raises:
        InputError: the file is missing, of another format, lacks the column, or a label is something else.
    """
    rows = read_rows(path)
    said = _said(_column(rows, label, path))
    wrong = pc.and_(said.is_valid(), pc.invert(pc.is_in(said, pa.array(sorted(_BAD | _GOOD | {""})))))
    if pc.any(wrong).as_py():
        row = pc.index(wrong, value=True).as_py()
        raise InputError(
            f"{path}: row {row + 1}: '{label}' is {said[row].as_py()!r}; it must be true or 1 (bad), false or 0 (good)"
        )
    there = pc.is_in(said, pa.array(sorted(_BAD | _GOOD)))
    kept = rows.filter(there)
    bad = pc.is_in(said.filter(there), pa.array(sorted(_BAD)))
    if not len(bad):
        raise InputError(f"{path}: no row has a '{label}'")
    return LabelFile(path, kept, np.asarray(bad.to_numpy()), rows.num_rows - kept.num_rows)


def _said(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"labels of type {column.type} are neither true and false nor 1 and 0") from error


def read_rows(path: str) -> pa.Table:
    """Read a whole file: parquet with its types, csv and tsv as text, jsonl as JSON says.

    Raises:
        InputError: it is missing, empty, or not what its name says.
    """
    suffix = next((s for s in SUFFIXES if path.endswith(s)), None)
    if suffix is None:
        raise InputError(f"{path}: its name ends in none of {', '.join(SUFFIXES)}")
    folder, name = input_file(path)
    with folder.open(name) as stream:
        try:
            table = _READERS[suffix](stream)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: cannot be read as {suffix[1:]}: {str(error).partition(chr(10))[0]}") from error
    if not table.num_rows:
        raise InputError(f"{path}: no rows in it")
    return table


def _delimited(delimiter: str) -> Callable[[object], pa.Table]:
    def read(stream: object) -> pa.Table:
        parse = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        # One block: a quoted text may hold more line breaks than a block has bytes.
        blocks = pa.csv.ReadOptions(block_size=1 << 30)
        names = pa.csv.open_csv(stream, read_options=blocks, parse_options=parse).schema.names
        stream.seek(0)  # type: ignore[attr-defined]
        kinds = pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
        return pa.csv.read_csv(stream, read_options=blocks, parse_options=parse, convert_options=kinds)

    return read


_READERS: dict[str, Callable[[object], pa.Table]] = {
    ".parquet": pq.read_table,
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".jsonl": lambda stream: pa.json.read_json(
        stream, parse_options=pa.json.ParseOptions(newlines_in_values=True),
        read_options=pa.json.ReadOptions(block_size=1 << 30),
    ),
}  # fmt: skip


def _column(rows: pa.Table, name: str, path: str) -> pa.ChunkedArray:
    if name not in rows.column_names:
        there: Sequence[str] = rows.column_names
        raise InputError(f"{path}: no column '{name}'; there are {', '.join(there)}.{nearest(name, there)}")
    return rows[name]
