"""URL lists in Parquet, read in batches."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import InputError
from curate.sources.files import InputFile, expect_columns, look
from curate.sources.rows import BATCH_ROWS, rows


def read_parquet(file: InputFile, url: str, caption: str | None) -> Iterator[pa.Table]:
    """Yield the rows of a file.

    Raises:
        InputError: it is not Parquet, is damaged, or a column is missing or holds no text.
    """
    with file.open() as stream:
        try:
            parquet = pq.ParquetFile(stream)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file.path}: expected Parquet by its name, but it looks like {_kind(file)}") from error
        names = [name for name in (url, caption) if name is not None]
        expect_columns(file, names, parquet.schema_arrow.names)
        for name in names:
            _expect_text(file, parquet.schema_arrow.field(name))
        try:
            for batch in parquet.iter_batches(BATCH_ROWS, columns=list(dict.fromkeys(names))):
                yield rows(batch[url], None if caption is None else batch[caption])
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file.path}: damaged: it cannot be read to its end as Parquet") from error


def _kind(file: InputFile) -> str:
    kind = look(file)
    return "Parquet that is cut or damaged" if kind == "Parquet" else kind


def _expect_text(file: InputFile, field: pa.Field) -> None:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    textual = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary)
    if not any(is_kind(kind) for is_kind in (*textual, pa.types.is_large_binary, pa.types.is_null)):
        raise InputError(f"{file.path}: column '{field.name}' holds {field.type}, not text")
