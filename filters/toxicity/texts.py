"""The texts of a table's samples, distinct ones once, and a sample's scores from those of its texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Texts:
    """n distinct texts of m samples; sample `rows[i]` holds text `indices[i]`."""

    distinct: list[str]
    rows: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    samples: int

    def highest(self, scores: Scores) -> Scores:
        """Return float32[m, labels], the highest of each sample's texts, for float32[n, labels] of the texts.

        A sample without text scores 0; not-a-number stands where none of its texts was asked for that label.
        """
        found = np.full((self.samples, scores.shape[1]), np.nan, np.float32)
        np.fmax.at(found, self.rows, scores[self.indices])
        silent = np.ones(self.samples, np.bool_)
        silent[self.rows] = False
        found[silent] = 0
        return found


def gather(table: pa.Table, columns: Sequence[str]) -> Texts:
    """Collect what is written in `columns`: strings, and each turn of `conversations`. Blank is not written."""
    found = [_strings(table[name].combine_chunks()) for name in columns]
    values = pa.chunked_array([values for values, _ in found], pa.string())
    rows = np.concatenate([rows for _, rows in found])
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(values, "")).combine_chunks()
    written = pc.not_equal(trimmed, "").to_numpy(zero_copy_only=False)
    encoded = trimmed.filter(pa.array(written)).dictionary_encode()
    indices = encoded.indices.to_numpy().astype(np.int64)
    return Texts(encoded.dictionary.to_pylist(), rows[written], indices, table.num_rows)


def _strings(column: pa.Array) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Return all strings of a column and the row of each."""
    if not pa.types.is_list(column.type):
        return column, np.arange(len(column))
    values = pc.struct_field(pc.list_flatten(column), "value")
    return values, pc.list_parent_indices(column).to_numpy(zero_copy_only=False).astype(np.int64)
