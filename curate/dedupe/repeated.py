"""Rows that a source lists more than once: every plan begins by dropping all but the first."""

from typing import ClassVar

from curate.dedupe.first import keep_first
from curate.stage import Judge, Reduce


class RepeatedRows(Reduce):
    """Drop a row whose key an earlier row of the source has: same address, same caption.

    Not for recipes: every plan begins with it, since two samples of one name could not be told apart in a shard.
    """

    name: ClassVar[str] = "repeated_rows"
    reads: ClassVar[tuple[str, ...]] = ("key",)
    shuffle_by: ClassVar[str] = "key"

    def open(self) -> Judge:
        """Return a function that keeps the first row of each key."""
        return lambda table: keep_first(table, "key", "repeated_row")
