"""Rows that a source lists more than once: every plan begins by dropping all but the first."""

from typing import ClassVar

import pyarrow as pa

from curate.dedupe.digests import of_hex
from curate.reduce import Reduce, Sketch, Sketcher


class RepeatedRows(Reduce):
    """Drop a row whose key an earlier row of the source has: same address, same caption.

    Not for recipes: every plan begins with it, since two samples of one name could not be told apart in a shard.
    """

    name: ClassVar[str] = "repeated_rows"
    reason: ClassVar[str] = "repeated_row"
    reads: ClassVar[tuple[str, ...]] = ("key",)

    def open(self) -> Sketcher:
        """Return a function that takes a key's own 128 bits for its hash."""
        return _keys


def _keys(table: pa.Table) -> Sketch:
    return Sketch(*of_hex(table["key"].to_pylist()))
