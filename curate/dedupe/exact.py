"""Rows whose pictures are the same bytes: the first in the corpus stays."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curate.dedupe.first import keep_first
from curate.errors import InputError
from curate.stage import Judge, Reduce, Verdicts


class ExactDuplicates(Reduce):
    """Keep the first row of each `sha256`, in corpus order; drop the others as `exact_duplicate`.

    The hash is taken after metadata was stripped, so a copy that differs in its EXIF alone counts as the same.
    """

    name: ClassVar[str] = "exact_duplicates"
    reads: ClassVar[tuple[str, ...]] = ("sha256",)
    shuffle_by: ClassVar[str] = "sha256"

    def open(self) -> Judge:
        """Return a function over rows sorted by (`sha256`, `order`), which may hold many hashes."""
        return _keep_first


def _keep_first(table: pa.Table) -> Verdicts:
    """Judge n sorted rows: the first of each run of equal hashes stands for the run.

    Raises:
        InputError: a row has no hash; grouping by null would merge rows that have nothing in common.
    """
    hashes = pa.chunked_array(table["sha256"])
    if hashes.null_count:
        lacking = table["key"].filter(pc.is_null(hashes))
        raise InputError(
            f"exact_duplicates: {len(lacking)} rows have no sha256, first key {lacking[0].as_py()}. "
            "Put the stage that fills sha256 (fetch, for a list of URLs) before this one, and fail what it cannot fill."
        )
    return keep_first(table, "sha256", "exact_duplicate")
