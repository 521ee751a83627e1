"""Removing what `work` and `scores` hold of erased samples: the raw copies, and all that was made from them."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.erase.facts import part_files, work_stores
from curate.ledger import part_name, without_erased
from curate.run.ingest import FOLDER as SOURCE
from curate.run.layout import Run
from curate.run.parts import read_table, write_table
from curate.run.reduce.forgetting import all_judged, forget_rows
from curate.storage import Folder

_IDENTITY = ("row", "key", "_failed")
"""Columns of the list that stay: they say that there was a row, and why it could not be used."""
_KNOWN = frozenset({"owner.json", "source", "listing", "samples", "edits", "phases", "reduce", "shards", "attempts"})


def scrub(run: Run, erased: pa.Array, partitions: Sequence[int]) -> list[str]:
    """Remove the erased samples (string[n], keys) of these partitions; doing it again changes nothing.

    Of the list all columns but the bookkeeping become null, since a row's place is fixed for ever; of results, which
    are looked up by row, the rows go; of decisions the events stay, without what was measured.

    Returns:
        The tables in which they were, or could have been, by their names in the run.
    """
    looked = []
    for label, store, change in _stores(run):
        for partition in partitions:
            for name in part_files(store, partition):
                looked.append(f"{label}/{name}")
                _change(store, name, erased, change)
    return sorted([*looked, *_forget_sketches(run, erased, partitions)])


def _stores(run: Run) -> Iterator[tuple[str, Folder, str]]:
    for name, store in work_stores(run):
        yield f"work/{name}", store, "null" if name == SOURCE else "remove"
    for name in run.folder.names("scores"):
        yield f"scores/{name}", run.folder / "scores" / name, "remove"
    for name in run.work.names("phases"):
        yield f"work/phases/{name}", run.work / "phases" / name, "events"


def _change(store: Folder, name: str, erased: pa.Array, change: str) -> None:
    gone = pc.is_in(read_table(store, name, ["key"])["key"], value_set=erased)
    if not pc.any(gone).as_py():
        return
    table = read_table(store, name)
    if change == "null":
        after = _nulled(table, gone)
    elif change == "remove":
        after = table.filter(pc.invert(gone)).combine_chunks()
    else:
        after = without_erased(table, erased).combine_chunks()
    if not after.equals(table):
        write_table(store, name, after.replace_schema_metadata(table.schema.metadata))


def _nulled(table: pa.Table, gone: pa.ChunkedArray) -> pa.Table:
    for place, field in enumerate(table.schema):
        if field.name not in _IDENTITY:
            nothing = pc.if_else(gone, pa.scalar(None, field.type), table[field.name])
            table = table.set_column(place, field.with_nullable(nullable=True), nothing)
    return table


def _forget_sketches(run: Run, erased: pa.Array, partitions: Sequence[int]) -> list[str]:
    """Take the samples out of what Reduces were given to judge, which holds hashes of them, where they have judged.

    Where one has not ended, all are judged anew, and with them all that was decided: decisions are made of stored
    scores, and each Reduce counts what comes from the stage before, which is fewer now.
    """
    looked = []
    names = run.work.names("reduce")
    # Without phases this was begun before, and stopped in the middle.
    if not run.work.names("phases") or not all(all_judged(run.work / "reduce" / name) for name in names):
        run.work.delete("phases")
        run.work.delete("reduce")
        names = []
    for name in names:
        folder = run.work / "reduce" / name
        for partition in partitions:
            listed = read_table(run.work / SOURCE, part_name(partition) + ".parquet", ["row", "key"])
            rows = listed["row"].filter(pc.is_in(listed["key"], value_set=erased)).to_numpy().astype(np.int64)
            looked += [f"work/reduce/{name}/{file}" for file in forget_rows(folder, partition, rows)]
    # Marks of shards that are written; what they name may be gone.
    run.work.delete("shards")
    return looked


def unknown_names(run: Run) -> list[str]:
    """Return what lies in `work` and is not a run's: nothing is removed from it."""
    return [f"work/{name}" for name in run.work.names() if name not in _KNOWN]
