"""What rows are compared by, looked up by the place of the row."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import IntegrityError
from curate.run.parts import reading
from curate.run.reduce.corpus import PLACE, Part


class Payloads:
    """The payloads of some partitions, read where they are asked for; local files are mapped to memory."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Open nothing but the first file, which tells the type."""
        self._parts = {part.index: part for part in parts}
        self._read: dict[int, pa.RecordBatch | None] = {}
        self.type: pa.DataType = read_payload(parts[0]).schema.field("payload").type

    def take(self, orders: NDArray[np.int64]) -> pa.Array:
        """Return the payloads of n rows, in the order asked for.

        Raises:
            IntegrityError: a row has none.
        """
        by_part = np.argsort(orders >> PLACE, kind="stable")
        sorted_ = orders[by_part]
        found = [pa.nulls(0, self.type)]
        for index in np.unique(sorted_ >> PLACE):
            rows = sorted_[sorted_ >> PLACE == index] & ((1 << PLACE) - 1)
            found.append(self._rows(int(index), rows))
        back = np.empty(len(orders), np.int64)
        back[by_part] = np.arange(len(orders))
        return pa.concat_arrays(found).take(pa.array(back))

    def _rows(self, index: int, rows: NDArray[np.int64]) -> pa.Array:
        # Kept once read: together they are a group of partitions, which is cut to fit a task's memory.
        part = self._parts[index]
        if index not in self._read:
            self._read[index] = next(iter(read_payload(part).to_batches()), None)
        batch = self._read[index]
        have = batch["row"].to_numpy() if batch is not None else np.empty(0, np.int64)
        at = np.minimum(np.searchsorted(have, rows), max(len(have) - 1, 0))
        if batch is None or (have[at] != rows).any():
            raise IntegrityError(f"{part.folder.path(f'payload-{part.name}.arrow')}: lacks rows that were sketched")
        return batch["payload"].take(pa.array(at))


def read_payload(part: Part) -> pa.Table:
    """Return `row`, `node`, `scope` and `payload` of a partition's rows, sorted by row."""
    name = f"payload-{part.name}.arrow"
    with reading(part.folder, name), part.folder.open_native(name) as stream:
        return pa.Table.from_batches([pa.ipc.open_file(stream).get_batch(0)])
