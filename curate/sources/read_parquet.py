"""Rows of Parquet files, read in batches."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.errors import InputError
from curate.sources.files import InputFile, expect_columns, look
from curate.sources.rows import BATCH_BYTES, BATCH_ROWS, Wanted, rows

_BUFFER_BYTES = 1 << 20  # read of a column at a time: without it a whole row group's pages are


def read_parquet(file: InputFile, wanted: Wanted) -> Iterator[pa.Table]:
    """Yield the rows of a file.

    Raises:
        InputError: it is not Parquet, is damaged, or a column is missing or holds no text.
    """
    with file.open() as stream:
        try:
            parquet = pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file.path}: expected Parquet by its name, but it looks like {_kind(file)}") from error
        expect_columns(file, wanted.needed, parquet.schema_arrow.names)
        names = wanted.present(parquet.schema_arrow.names)
        for name, named in names.items():
            _expect_text(file, parquet.schema_arrow.field(named), spelled=name in wanted.spelled)
        try:
            for batch in parquet.iter_batches(_batch_rows(parquet), columns=list(dict.fromkeys(names.values()))):
                found = {name: _spelled(batch[named]) for name, named in names.items()}
                yield rows(wanted, found, pa.nulls(batch.num_rows, pa.string()))
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file.path}: damaged: it cannot be read to its end as Parquet") from error


def _batch_rows(parquet: pq.ParquetFile) -> int:
    """Return how many rows take about `BATCH_BYTES` by the mean of the row group with the longest."""
    groups = [parquet.metadata.row_group(i) for i in range(parquet.num_row_groups)]
    longest = max((g.total_byte_size / g.num_rows for g in groups if g.num_rows), default=1)
    return max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(longest, 1))))


def _kind(file: InputFile) -> str:
    kind = look(file)
    return "Parquet that is cut or damaged" if kind == "Parquet" else kind


def _expect_text(file: InputFile, field: pa.Field, *, spelled: bool) -> None:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    allowed = [pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary]
    allowed += [pa.types.is_large_binary, pa.types.is_null]
    if spelled:
        allowed += [pa.types.is_integer, pa.types.is_date, pa.types.is_timestamp]
    if not any(is_kind(kind) for is_kind in allowed):
        raise InputError(f"{file.path}: column '{field.name}' holds {field.type}, not text")


def _spelled(values: pa.Array) -> pa.Array:
    """Write numbers out, and times as ISO 8601."""
    if pa.types.is_timestamp(values.type):
        spelled = pc.replace_substring(values.cast(pa.string()), " ", "T")
        return pc.replace_substring_regex(spelled, r"\.0+(Z?)$", r"\1")
    if pa.types.is_integer(values.type) or pa.types.is_date(values.type):
        return values.cast(pa.string())
    return values
