"""Rows that a source lists more than once: every plan begins by dropping all but the first."""

from typing import ClassVar

import numpy as np
import pyarrow as pa

from curate.stage import Reduce, Sketch, Sketcher


class RepeatedRows(Reduce):
    """Drop a row whose key an earlier row of the source has: same address, same caption.

    Not for recipes: every plan begins with it, since two samples of one name could not be told apart in a shard.
    """

    name: ClassVar[str] = "repeated_rows"
    reason: ClassVar[str] = "repeated_row"
    reads: ClassVar[tuple[str, ...]] = ("key",)

    def open(self) -> Sketcher:
        """Return a function that takes a key, which is a hash, for what its row says."""
        return _halves


def _halves(table: pa.Table) -> Sketch:
    raw = bytes.fromhex("".join(table["key"].to_pylist()))
    halves = np.frombuffer(raw, ">u8").reshape(-1, 2).astype(np.uint64)
    return Sketch(node=halves[:, 0], check=halves[:, 1])
