"""Rows that a source lists more than once: every plan begins by dropping all but the first."""

from typing import ClassVar

import numpy as np
import pyarrow as pa

from curate.stage import Judge, Reduce, Verdicts


class RepeatedRows(Reduce):
    """Drop a row whose key an earlier row of the source has: same address, same caption."""

    name: ClassVar[str] = "repeated_rows"
    reads: ClassVar[tuple[str, ...]] = ("key",)
    shuffle_by: ClassVar[str] = "key"

    def open(self) -> Judge:
        """Return a function that keeps the first row of each key."""
        return _first_of_each


def _first_of_each(table: pa.Table) -> Verdicts:
    keys = table["key"].combine_chunks().to_numpy(zero_copy_only=False)
    repeated = np.zeros(len(keys), dtype=bool)
    repeated[1:] = keys[1:] == keys[:-1]
    dropped = pa.array(np.where(repeated, "repeated_row", None), pa.string())
    return Verdicts(dropped, pa.array(keys, pa.string()))
