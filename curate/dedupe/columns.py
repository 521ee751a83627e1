"""Columns of text, a bounded part at a time."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_BYTES = 1 << 22


def parts(column: pa.ChunkedArray) -> Iterator[list[str | None]]:
    """Yield the texts of a column, in order: as many at once as hold a few megabytes, or one that holds more."""
    for chunk in pa.chunked_array(column).chunks:
        ends = np.cumsum(pc.fill_null(pc.binary_length(chunk), 0).to_numpy().astype(np.int64) + 1)
        start = 0
        while start < len(chunk):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + _BYTES, "right")))
            yield chunk.slice(start, stop - start).to_pylist()
            start = stop
