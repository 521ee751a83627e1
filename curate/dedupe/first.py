"""Of rows that share a hash, the first in the corpus stays."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.stage import Verdicts


def keep_first(table: pa.Table, by: str, reason: str) -> Verdicts:
    """Judge n rows sorted by (`by`, `order`): the first of each run of equal hashes stands for the run."""
    hashes = pa.chunked_array(table[by]).combine_chunks()
    keys = pa.chunked_array(table["key"]).combine_chunks()
    first = np.ones(len(hashes), dtype=bool)
    first[1:] = pc.not_equal(hashes.slice(1), hashes.slice(0, max(len(hashes) - 1, 0))).to_numpy(zero_copy_only=False)
    leader = np.maximum.accumulate(np.where(first, np.arange(len(hashes)), 0))
    dropped = pc.if_else(pa.array(first), pa.scalar(None, pa.string()), reason)
    return Verdicts(dropped=dropped, survivor=keys.take(pa.array(leader)))
