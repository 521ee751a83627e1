"""Taking rows out of sketches once they were judged: what is erased is compared with nothing any more.

The sketches of all other rows stay, so that a later run can still be judged against them.
"""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.ledger import part_name
from curate.plan import Step
from curate.run.columns import read_source
from curate.run.job import Job
from curate.run.parts import reading
from curate.run.reduce.corpus import DONE, PLACE
from curate.run.reduce.ranks import verdict_file
from curate.run.reduce.spill import said, spilling, whole_batch
from curate.shards import reason_where_erased
from curate.storage import Folder

Change = Callable[[pa.Table], pa.Table]


def all_judged(folder: Folder) -> bool:
    """Tell whether every decision that was begun on these sketches was ended, and what was between is gone."""
    files = folder.names()
    if DONE not in files:
        return False
    buckets = json.loads(folder.read(DONE))["rows"]
    decisions = [f for f in files if "." not in f]
    verdicts = {verdict_file(b) for b in range(buckets)}
    return bool(decisions) and all(set(folder.names(decision)) == verdicts for decision in decisions)


def forget_rows(folder: Folder, partition: int, rows: NDArray[np.int64]) -> dict[str, bool]:
    """Take rows, by their numbers in the partition, out of its sketches.

    Returns:
        The files that could hold them, and whether each did.

    Doing it again changes nothing, and what was stopped in the middle is ended by doing it again.
    """
    name = part_name(partition)
    files = [f"{kind}-{name}.arrow" for kind in ("bands", "payload", "rows")]
    there = {f: False for f in files if folder.exists(f)}
    order = (np.int64(partition) << PLACE) | rows
    if files[0] in there:
        there[files[0]] = _rewrite(
            folder, files[0], lambda table: _spoken_for(table, order, _others(folder, files[2], order))
        )
    if files[1] in there:
        there[files[1]] = _rewrite(
            folder, files[1], lambda table: table.filter(pa.array(~np.isin(table["row"].to_numpy(), rows)))
        )
    if files[2] in there:
        # Last: until it is written, it says who can speak for the bands of a row that goes.
        there[files[2]] = _rewrite(
            folder, files[2], lambda table: table.filter(pa.array(~np.isin(table["order"].to_numpy(), order)))
        )
    return there


def forget_erased(job: Job, step: Step, partition: int) -> tuple[int, bool]:
    """Take what was erased since out of a partition's sketches; return how many rows it is, and if one was there."""
    listed = read_source(job, partition, ["row", "key"])
    erased = reason_where_erased(job.run.folder, listed["key"]).is_valid()
    rows = listed["row"].filter(erased).to_numpy().astype(np.int64)
    if not len(rows):
        return 0, False
    return len(rows), any(forget_rows(job.run.work / step.folder, partition, rows).values())


def _others(folder: Folder, name: str, order: NDArray[np.int64]) -> dict[int, int]:
    """Return {node: smallest order} of the rows that stay and say what one that goes says."""
    table = pa.Table.from_batches(_batches(folder, name)[:-1])
    node, orders = table["node"].to_numpy(), table["order"].to_numpy()
    goes = np.isin(orders, order)
    left = ~goes & np.isin(node, node[goes])
    pairs = sorted(zip(orders[left].tolist(), node[left].tolist(), strict=True), reverse=True)
    return {n: o for o, n in pairs}


def _spoken_for(table: pa.Table, order: NDArray[np.int64], others: dict[int, int]) -> pa.Table:
    """Have copies that stay speak for the bands of rows that go; bands for which nobody is left go too."""
    orders = table["order"].to_numpy().copy()
    for place in np.flatnonzero(np.isin(orders, order)).tolist():
        orders[place] = others.get(table["node"][place].as_py(), -1)
    at = table.schema.get_field_index("order")
    return table.set_column(at, table.schema.field(at), pa.array(orders)).filter(pa.array(orders >= 0))


def _batches(folder: Folder, name: str) -> Sequence[pa.RecordBatch]:
    with reading(folder, name), folder.open_native(name) as stream:
        file = pa.ipc.open_file(stream)
        return [file.get_batch(i) for i in range(file.num_record_batches)]


def _rewrite(folder: Folder, name: str, change: Change) -> bool:
    batches, told = _batches(folder, name), said(folder, name)
    before = [pa.Table.from_batches([batch]) for batch in batches[:-1]]
    after = [change(table) for table in before]
    gone = sum(t.num_rows for t in before) - sum(t.num_rows for t in after)
    if all(a.equals(b) for a, b in zip(after, before, strict=True)):
        return False
    with spilling(folder, name, batches[0].schema) as spill:
        spill.add(whole_batch(table) for table in after)
        spill.said = dict(told or {})
        if name.startswith("rows-"):
            spill.said["rows"] -= gone
    return True
