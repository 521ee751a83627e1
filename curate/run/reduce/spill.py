"""Files between the rounds of a Reduce: records in hash ranges, so that each task reads its own range of every file.

A file has one batch a bucket, again and again: batch `i` belongs to bucket `i % buckets`. What a task has to say of its
work stands in the file's metadata, so a task that finds its file does nothing and says the same.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.run.parts import reading
from curate.storage import Folder

_SAID = b"said"
_HALF = np.uint64(32)


def bucket_of(hashes: NDArray[np.uint64], buckets: int) -> NDArray[np.int64]:
    """Return int64[n]: in which of `buckets` equal ranges of 64-bit hashes each lies."""
    return ((hashes >> _HALF) * np.uint64(buckets) >> _HALF).astype(np.int64)


def scatter(table: pa.Table, bucket: NDArray[np.int64], buckets: int) -> list[pa.RecordBatch]:
    """Cut n rows into one batch a bucket, rows of a bucket in their order."""
    order = np.argsort(bucket, kind="stable")
    edges = np.searchsorted(bucket[order], np.arange(buckets + 1))
    sorted_ = table.take(pa.array(order)).combine_chunks()
    return [whole_batch(sorted_.slice(edges[b], edges[b + 1] - edges[b])) for b in range(buckets)]


def whole_batch(table: pa.Table) -> pa.RecordBatch:
    """Return a table as one batch, an empty one too."""
    return next(iter(table.combine_chunks().to_batches()), pa.RecordBatch.from_pylist([], schema=table.schema))


class Spill:
    """Writes one file, round of buckets after round of buckets."""

    def __init__(self, path: str, schema: pa.Schema) -> None:
        """Begin the file; `said` can be changed until it is closed."""
        self.said: dict[str, Any] = {}
        self._schema = schema
        self._stream = pa.OSFile(path, "wb")
        self._writer: Any = pa.ipc.new_file(self._stream, schema)

    def add(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write batches, as many as there are buckets or a multiple of that."""
        for batch in batches:
            self._writer.write_batch(batch)

    def close(self) -> None:
        """End the file."""
        # A closing batch, empty, carries what was said: a file's own metadata is written before its batches.
        last = pa.RecordBatch.from_pylist([], schema=self._schema)
        self._writer.write_batch(last, custom_metadata={_SAID: json.dumps(self.said).encode()})
        self._writer.close()
        self._stream.close()


@contextmanager
def spilling(folder: Folder, name: str, schema: pa.Schema) -> Iterator[Spill]:
    """Write a file of bucketed records, which appears whole or not at all."""
    with folder.writing(name) as local:
        spill = Spill(str(local), schema)
        yield spill
        spill.close()


def said(folder: Folder, name: str) -> dict[str, Any] | None:
    """Return what the task that wrote a file said of it; None where there is no such file."""
    if not folder.exists(name):
        return None
    with reading(folder, name), folder.open_native(name) as stream:
        file = pa.ipc.open_file(stream)
        _, metadata = file.get_batch_with_custom_metadata(file.num_record_batches - 1)
        return dict(json.loads(metadata[_SAID]))


def bucket_batches(folder: Folder, name: str, bucket: int, buckets: int) -> Iterator[pa.Table]:
    """Yield what a file holds of a bucket, a batch at a time; batches without rows are left out."""
    with reading(folder, name), folder.open_native(name) as stream:
        file = pa.ipc.open_file(stream)
        for index in range(bucket, file.num_record_batches - 1, buckets):
            batch = file.get_batch(index)
            if batch.num_rows:
                yield pa.Table.from_batches([batch])


def read_bucket(folder: Folder, names: Iterable[str], bucket: int, buckets: int) -> list[pa.Table]:
    """Return what files hold of a bucket; an empty list where that is nothing."""
    return [table for name in names for table in bucket_batches(folder, name, bucket, buckets)]


def column(tables: Iterable[pa.Table], name: str, dtype: type[Any]) -> NDArray[Any]:
    """Return one column of many tables, in one piece."""
    parts = [table[name].to_numpy() for table in tables]
    return np.concatenate(parts) if parts else np.empty(0, dtype)
