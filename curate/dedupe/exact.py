"""Rows whose pictures are the same bytes: one of each stays."""

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import InputError
from curate.stage import Reduce, Sketch, Sketcher


class ExactDuplicates(Reduce):
    """Keep one row of each `sha256`, and drop the others as `exact_duplicate`.

    The hash is taken after metadata was stripped, so a copy that differs in its EXIF alone counts as the same.
    """

    name: ClassVar[str] = "exact_duplicates"
    reason: ClassVar[str] = "exact_duplicate"
    reads: ClassVar[tuple[str, ...]] = ("sha256",)

    def open(self) -> Sketcher:
        """Return a function that takes a picture's hash for what its row says."""
        return _hashes


def _hashes(table: pa.Table) -> Sketch:
    hashes = pa.chunked_array(table["sha256"])
    if hashes.null_count:
        lacking = pc.sum(pc.is_null(hashes)).as_py()
        raise InputError(
            f"exact_duplicates: {lacking} rows have no sha256. "
            "Put the stage that fills sha256 (fetch, for a list of URLs) before this one, and fail what it cannot fill."
        )
    raw = bytes.fromhex("".join(pc.utf8_slice_codeunits(hashes, 0, 32).to_pylist()))
    halves = np.frombuffer(raw, ">u8").reshape(-1, 2).astype(np.uint64)
    return Sketch(node=halves[:, 0], check=halves[:, 1])
