"""Every piece of a file that a search must look into: its bytes, and what is packed in it."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def pieces(file: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield a file's name and bytes, then each thing packed in it."""
    yield name, name.encode()
    yield name, file.read_bytes()
    if file.suffix == ".tar":
        yield from _members(file, name)
    elif file.suffix == ".parquet":
        yield from _cells(pq.read_table(file), name)
    elif file.suffix in {".arrow", ".idx"}:
        with pa.memory_map(str(file)) as source:
            yield from _cells(pa.ipc.open_file(source).read_all(), name)


def _members(file: Path, name: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(file) as tar:
        for member in tar:
            stream = tar.extractfile(member)
            if stream is not None:
                yield f"{name}/{member.name}", stream.read()


def _cells(table: pa.Table, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield media one by one, and each other column as one piece."""
    for column, cells in zip(table.column_names, table.columns, strict=True):
        held = [value for value in cells.to_pylist() if value is not None]
        if any(isinstance(value, bytes) for value in held):
            yield from ((f"{name} {column}", value) for value in held)
        else:
            yield f"{name} {column}", "\n".join(map(str, held)).encode()
