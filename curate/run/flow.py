"""One partition on its way through one phase: its rows in memory, who is still in, and what happened to the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.ledger import LEDGER
from curate.run.books import Books, StageBooks
from curate.run.opened import flat

EVENTS = pa.schema([pa.field("row", pa.int32(), nullable=False), *LEDGER])
"""Ledger rows with the place of their sample in the partition."""
PASSED = "passed"
"""The event of a row that leaves a phase alive; the last phase turns it into `kept`."""


@dataclass
class Flow:
    """A partition in a phase. `rows` holds every row that entered it; `alive` says which are still in."""

    partition: int
    rows: pa.Table
    alive: npt.NDArray[np.bool_]
    events: list[pa.Table] = field(default_factory=list)
    books: Books = field(default_factory=Books)
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, partition: int, rows: pa.Table) -> "Flow":
        """Start with every row alive."""
        return cls(partition, rows, np.ones(rows.num_rows, dtype=bool))

    @property
    def living(self) -> npt.NDArray[np.intp]:
        """Positions in `rows` of the rows still in."""
        return np.flatnonzero(self.alive)

    def take(self, columns: Iterable[str], positions: npt.NDArray[np.intp]) -> pa.Table:
        """Return some rows of some columns; no copy where that is all of them."""
        table = self.rows.select(list(columns))
        return table if len(positions) == table.num_rows else table.take(pa.array(positions))

    def attach(self, name: str, column: pa.ChunkedArray | pa.Array) -> None:
        """Add or replace a column of all rows."""
        place = self.rows.schema.get_field_index(name)
        if place < 0:
            self.rows = self.rows.append_column(name, column)
        else:
            self.rows = self.rows.set_column(place, name, column)

    def forget(self, names: Iterable[str]) -> None:
        """Drop columns that nobody in this phase reads any more."""
        self.rows = self.rows.drop_columns([n for n in names if n in self.rows.column_names])

    def settle(self, stage: str, failed: pa.Array, dropped: pa.Array, score: pa.Array) -> None:
        """Count a stage's verdict on the living rows (string[n] reasons or null) and write it down."""
        living = self.living
        failed, dropped, score = flat(failed), flat(dropped), flat(score)
        dropped = pc.if_else(failed.is_valid(), pa.scalar(None, pa.string()), dropped)
        self._write(stage, "failed", failed, pa.nulls(len(living), pa.float32()), living)
        self._write(stage, "dropped", dropped, score, living)
        gone = pc.or_(failed.is_valid(), dropped.is_valid()).to_numpy(zero_copy_only=False)
        count = StageBooks(len(living), int(len(living) - gone.sum()))
        count.failed.update(failed.drop_null().to_pylist())
        count.dropped.update(dropped.drop_null().to_pylist())
        self.books.add({stage: count})
        self.alive[living[gone]] = False

    def _write(self, stage: str, event: str, reason: pa.Array, score: pa.Array, living: npt.NDArray[np.intp]) -> None:
        hit = np.flatnonzero(reason.is_valid().to_numpy(zero_copy_only=False))
        if len(hit):
            told = {"reason": reason.take(pa.array(hit)), "score": score.take(pa.array(hit))}
            self.note(stage, event, living[hit], told)

    def note(
        self, stage: str, event: str, positions: npt.NDArray[np.intp], told: Mapping[str, pa.Array] | None = None
    ) -> None:
        """Add ledger rows for the rows at `positions`; `told` has other columns of EVENTS, null where left out."""
        n = len(positions)
        columns = self.rows.select(["row", "key"]).take(pa.array(positions)).combine_chunks()
        given = dict(zip(("row", "key"), map(flat, columns.columns), strict=True)) | dict(told or {})
        given |= {"stage": pa.repeat(stage, n), "event": pa.repeat(event, n)}
        filled = [given[f.name].cast(f.type) if f.name in given else pa.nulls(n, f.type) for f in EVENTS]
        self.events.append(pa.table(filled, schema=EVENTS))

    def history(self) -> pa.Table:
        """Return this phase's events, a `passed` row for each survivor included, in order of rows."""
        self.note("", PASSED, self.living)
        events = pa.concat_tables(self.events)
        # A stable order: by row, then by the order in which stages wrote.
        order = np.argsort(events["row"].to_numpy(), kind="stable")
        return events.take(pa.array(order)).combine_chunks()
