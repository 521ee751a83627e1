"""Pairs of rows by comparing every row with every other: block by block, or within cells that were learned."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from curate.plan import Step
from curate.reduce import Cells, Pairwise
from curate.run.job import Job
from curate.run.reduce.corpus import Part, corpus, of_group, reduce_of
from curate.run.reduce.graph import Ids, distinct, runs
from curate.run.reduce.payloads import read_payload
from curate.run.reduce.shape import groups_of, pieces
from curate.run.reduce.sketches import mix
from curate.run.reduce.spill import bucket_of, read_bucket, scatter, spilling
from curate.run.reduce.stars import write_found
from curate.run.reduce.tasks import Each
from curate.storage import Folder

LEARNED = "learned.bin"


def pairwise_edges(job: Job, step: Step, folder: Folder, each: Each) -> list[str]:
    """Find all duplicates by a search that misses none; return the files of their edges."""
    how = _how(step)
    if how.cells is not None:
        return _within_cells(job, step, folder, each)
    groups = groups_of(job, how, len(corpus(job, step)))
    blocks = [(i, j) for i in range(groups) for j in range(i, groups)]
    list(each(_block, ((job, step, folder, i, j, groups) for i, j in blocks)))
    return [_block_file(i, j) for i, j in blocks]


def _how(step: Step) -> Pairwise:
    how = reduce_of(step).comparing()
    if not isinstance(how, Pairwise):
        raise TypeError(step.name)
    return how


def _block_file(i: int, j: int) -> str:
    return f"edges-{i:05d}-{j:05d}.arrow"


def _block(job: Job, step: Step, folder: Folder, i: int, j: int, groups: int) -> None:
    """Compare the rows of one group of partitions with those of another, or with one another."""
    if folder.exists(_block_file(i, j)):
        return
    parts = corpus(job, step)
    left = _payloads_of(parts, i, groups)
    found = list(_by_scope(_how(step), left, left if i == j else _payloads_of(parts, j, groups)))
    write_found(job, step, folder, _block_file(i, j), found)


def _payloads_of(parts: Sequence[Part], group: int, groups: int) -> pa.Table:
    return _once(pa.concat_tables([read_payload(part) for part in of_group(parts, group, groups)]))


def _once(table: pa.Table) -> pa.Table:
    """Return the rows of distinct nodes, ordered by scope, then node."""
    kept = distinct(table["scope"].to_numpy(), table["node"].to_numpy())
    return table.take(pa.array(kept)).combine_chunks()


def _by_scope(how: Pairwise, left: pa.Table, right: pa.Table) -> Iterator[tuple[Ids, Ids]]:
    scope = right["scope"].to_numpy()
    starts, sizes = runs(left["scope"].to_numpy())
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        mine = left.slice(start, size)
        value = mine["scope"][0].as_py()
        a, b = np.searchsorted(scope, np.uint64(value), "left"), np.searchsorted(scope, np.uint64(value), "right")
        if b > a:
            yield _found(how, mine, mine if left is right else right.slice(a, b - a))


def _found(how: Pairwise, left: pa.Table, right: pa.Table) -> tuple[Ids, Ids]:
    payload = left["payload"].combine_chunks()
    i, j = how.find(payload, payload if left is right else right["payload"].combine_chunks())
    a, b = left["node"].to_numpy()[i], right["node"].to_numpy()[j]
    return np.minimum(a, b)[a != b], np.maximum(a, b)[a != b]


def _within_cells(job: Job, step: Step, folder: Folder, each: Each) -> list[str]:
    parts = corpus(job, step)
    rows = -(-job.rows // max(job.partitions, 1)) * len(parts)
    buckets = pieces(rows * _cells(step).searched * _how(step).payload_bytes, job.memory_bytes)
    list(each(_learn, [(job, step, folder)]))
    list(each(_assign, ((job, step, folder, i, buckets) for i in range(len(parts)))))
    list(each(_cell, ((job, step, folder, b, buckets) for b in range(buckets))))
    return [f"edges-{b:05d}.arrow" for b in range(buckets)]


def _cells(step: Step) -> Cells:
    cells = _how(step).cells
    if cells is None:
        raise TypeError(step.name)
    return cells


def _learn(job: Job, step: Step, folder: Folder) -> None:
    """Learn cells from the payloads whose nodes are smallest: nodes are hashes, so that is a fair draw."""
    if folder.exists(LEARNED):
        return
    cells = _cells(step)
    held: pa.Table | None = None
    for part in corpus(job, step):
        table = read_payload(part).select(["node", "payload"])
        both = table if held is None else pa.concat_tables([held, table])
        kept = distinct(both["node"].to_numpy())[: cells.sample]
        held = both.take(pa.array(kept)).combine_chunks()
    payload = _payload(held)
    folder.write(LEARNED, cells.learn(payload))


def _payload(table: pa.Table | None) -> pa.Array:
    if table is None:
        raise TypeError(table)
    column: pa.Array = table["payload"].combine_chunks()
    return column


def _assign(job: Job, step: Step, folder: Folder, index: int, buckets: int) -> None:
    """Send the payloads of a partition to their cells."""
    name = f"cells-{index:05d}.arrow"
    if folder.exists(name):
        return
    table = _once(read_payload(corpus(job, step)[index]).drop_columns(["row"]))
    cells = (
        _cells(step).assign(folder.read(LEARNED), _payload(table)) if table.num_rows else np.empty((0, 1), np.uint64)
    )
    table = table.take(pa.array(np.repeat(np.arange(len(cells)), cells.shape[1])))
    cell = cells.ravel()
    scope = mix(table["scope"].to_numpy(), mix(cell.astype(np.uint64), np.full(len(cell), 1, np.uint64)))
    table = table.set_column(table.schema.get_field_index("scope"), "scope", pa.array(scope))
    with spilling(folder, name, table.schema) as spill:
        spill.add(scatter(table, bucket_of(scope, buckets), buckets))


def _cell(job: Job, step: Step, folder: Folder, bucket: int, buckets: int) -> None:
    """Compare the rows of each cell with one another."""
    name = f"edges-{bucket:05d}.arrow"
    if folder.exists(name):
        return
    files = [f"cells-{i:05d}.arrow" for i in range(len(corpus(job, step)))]
    tables = read_bucket(folder, files, bucket, buckets)
    found = []
    if tables:
        table = _once(pa.concat_tables(tables))
        found = list(_by_scope(_how(step), table, table))
    write_found(job, step, folder, name, found)
