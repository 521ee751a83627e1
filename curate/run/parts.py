"""One file a partition: tables written whole, read back by column.

Small columns are Parquet. Tables with media are Arrow files: read through a memory map, without copying, where the
run is on this machine.
"""

import contextlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import IntegrityError
from curate.ledger import part_name
from curate.sample import is_media
from curate.storage import Folder, refusing


def write_table(folder: Folder, name: str, table: pa.Table) -> None:
    """Write a table under `name`, whose suffix says the format."""
    with folder.writing(name) as local:
        if name.endswith(".parquet"):
            pq.write_table(table, local, compression="zstd")
        else:
            write_batches(str(local), table.schema, table.to_batches())


def write_batches(path: str, schema: pa.Schema, batches: Sequence[pa.RecordBatch]) -> None:
    """Write an Arrow file whose batches can be read one by one."""
    with pa.OSFile(path, "wb") as stream, pa.ipc.new_file(stream, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def read_table(folder: Folder, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table, or only some of its columns.

    Raises:
        IntegrityError: the file is not what was written.
        StorageError: it cannot be read.
    """
    with reading(folder, name):
        return _read_table(folder, name, columns)


@contextlib.contextmanager
def reading(folder: Folder, name: str) -> Iterator[None]:
    """Turn what reading a damaged or vanished file raises into errors that say what to do."""
    try:
        with refusing(folder.path(name)):
            yield
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise IntegrityError(
            f"{folder.path(name)}: damaged. Restore it from a copy, or run the recipe into another --out."
        ) from error


def _read_table(folder: Folder, name: str, columns: Sequence[str] | None) -> pa.Table:
    if name.endswith(".parquet"):
        return folder.read_parquet(name, columns)
    with folder.open_native(name) as source:
        reader = pa.ipc.open_file(source)
        if columns is None:
            return reader.read_all()
        wanted = sorted(reader.schema.get_field_index(c) for c in columns)
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        return pa.ipc.open_file(source, options=options).read_all().select(list(columns))


def read_batch(folder: Folder, name: str, batch: int) -> pa.RecordBatch:
    """Read one batch of an Arrow file."""
    with reading(folder, name), folder.open_native(name) as source:
        return pa.ipc.open_file(source).get_batch(batch)


def part_file(partition: int, schema: pa.Schema) -> str:
    """Return a partition's file name in the format its columns ask for."""
    return part_name(partition) + (".arrow" if any(map(is_media, schema)) else ".parquet")
