"""Pairs of rows that share a band: found by hash range of bands, compared by what both have at their partitions.

Payloads are never shuffled by band: a pair travels to the partitions of its one row, takes that row's payload along to
those of the other, and is compared there. A row that shares a band with nobody leaves its partition as hashes only.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.plan import Step
from curate.reduce import Banded
from curate.run.job import Job
from curate.run.reduce.corpus import PLACE, Part, between, by_leaders, corpus, of_group, reduce_of
from curate.run.reduce.graph import (
    ALL_PAIRS,
    ALL_PAIRS_OF_LEADERS,
    Ids,
    candidate_pairs,
    crowded,
    distinct,
    first_of_each,
)
from curate.run.reduce.payloads import Payloads
from curate.run.reduce.shape import BAND_BYTES, groups_of
from curate.run.reduce.spill import column, read_bucket, scatter, spilling
from curate.run.reduce.stars import write_found
from curate.run.reduce.tasks import Each
from curate.storage import Folder

Orders = NDArray[np.int64]
PAIRS = pa.schema(
    [
        pa.field("left", pa.uint64(), nullable=False),
        pa.field("left_order", pa.int64(), nullable=False),
        pa.field("right", pa.uint64(), nullable=False),
        pa.field("right_order", pa.int64(), nullable=False),
    ]
)


def banded_edges(job: Job, step: Step, folder: Folder, each: Each) -> list[str]:
    """Find all duplicates among rows that share a band; return the files of their edges."""
    how, shape = _how(step), between(job, step)
    parts = len(corpus(job, step))
    groups = groups_of(job, how, parts)
    names = [f"candidates-{b:05d}.arrow" for b in range(shape.bands)]
    list(each(_candidates, ((job, step, folder, b, groups) for b in range(shape.bands))))
    if how.alike is None:
        return [f"edges-{b:05d}.arrow" for b in range(shape.bands)]
    list(each(_attach, ((job, step, folder, g, groups, names) for g in range(groups))))
    files = [f"edges-here-{g:05d}.arrow" for g in range(groups)]
    if groups > 1:
        list(each(_compare, ((job, step, folder, g, groups) for g in range(groups))))
        files += [f"edges-there-{g:05d}.arrow" for g in range(groups)]
    return files


def _how(step: Step) -> Banded:
    how = reduce_of(step).comparing()
    if not isinstance(how, Banded):
        raise TypeError(step.name)
    return how


def _candidates(job: Job, step: Step, folder: Folder, bucket: int, groups: int) -> None:
    """Write the pairs of a range of bands, for the group of partitions where the left row is."""
    how = _how(step)
    name = f"candidates-{bucket:05d}.arrow" if how.alike else f"edges-{bucket:05d}.arrow"
    if folder.exists(name):
        return
    parts, shape = corpus(job, step), between(job, step)
    band, node, order = _records(parts, bucket, shape.bands, job.memory_bytes // (BAND_BYTES * 4))
    kept = crowded(band, node, order)
    band, node, order = band[kept], node[kept], order[kept]
    i, j = candidate_pairs(band, ALL_PAIRS_OF_LEADERS if by_leaders(step) else ALL_PAIRS)
    first = distinct(node[i], node[j])
    i, j = i[first], j[first]
    if how.alike is None:
        write_found(job, step, folder, name, [(node[i], node[j])])
        return
    pairs = pa.table([node[i], order[i], node[j], order[j]], schema=PAIRS)
    with spilling(folder, name, PAIRS) as spill:
        spill.add(scatter(pairs, _group(order[i], len(parts), groups), groups))


def _records(parts: Sequence[Part], bucket: int, buckets: int, most: int) -> tuple[Ids, Ids, Orders]:
    """Return band, node and order of the records of a range.

    Copies are taken out whenever `most` records have come together, so a document repeated a million times takes no
    more memory than two of it.
    """
    held: list[pa.Table] = []
    rows = 0
    for table in chain.from_iterable(part.bands(bucket, buckets) for part in parts):
        held.append(table)
        rows += table.num_rows
        if rows > most:
            band, node, order = _columns(held)
            kept = first_of_each(band, node, order)
            held = [pa.table({"band": band[kept], "node": node[kept], "order": order[kept]})]
            rows = 2 * len(kept)
    return _columns(held)


def _columns(tables: list[pa.Table]) -> tuple[Ids, Ids, Orders]:
    return column(tables, "band", np.uint64), column(tables, "node", np.uint64), column(tables, "order", np.int64)


def _group(order: Orders, parts: int, groups: int) -> NDArray[np.int64]:
    """Return int64[n]: the group of partitions that holds each row."""
    return (order >> PLACE) * groups // parts


def _attach(job: Job, step: Step, folder: Folder, group: int, groups: int, names: Sequence[str]) -> None:
    """Give each pair the payload of its left row; compare the pairs whose right row is here too."""
    travelling, here = f"attached-{group:05d}.arrow", f"edges-here-{group:05d}.arrow"
    if folder.exists(here):
        return
    how, parts = _how(step), corpus(job, step)
    pairs = _unique_pairs(read_bucket(folder, names, group, groups))
    stays = _group(pairs["right_order"].to_numpy(), len(parts), groups) == group
    payloads = Payloads(of_group(parts, group, groups))
    if groups > 1 and not folder.exists(travelling):
        away = pairs.filter(pa.array(~stays)).sort_by("left_order")
        schema = PAIRS.append(pa.field("payload", payloads.type))
        with spilling(folder, travelling, schema) as spill:
            for piece in _pieces(away, job, how):
                table = piece.append_column("payload", payloads.take(piece["left_order"].to_numpy()))
                to = _group(piece["right_order"].to_numpy(), len(parts), groups)
                spill.add(scatter(table.cast(schema), to, groups))
    found = [_alike(how, piece, payloads) for piece in _pieces(pairs.filter(pa.array(stays)), job, how)]
    write_found(job, step, folder, here, found)


def _compare(job: Job, step: Step, folder: Folder, group: int, groups: int) -> None:
    """Compare the pairs whose right row is in this group, and whose left row's payload came along."""
    there = f"edges-there-{group:05d}.arrow"
    if folder.exists(there):
        return
    how, parts = _how(step), corpus(job, step)
    payloads = Payloads(of_group(parts, group, groups))
    found = []
    for source in range(groups):
        for table in read_bucket(folder, [f"attached-{source:05d}.arrow"], group, groups):
            right = payloads.take(table["right_order"].to_numpy())
            found.append(_kept(table, _told(how)(_flat(table["payload"]), right)))
    write_found(job, step, folder, there, found)


def _unique_pairs(tables: list[pa.Table]) -> pa.Table:
    if not tables:
        return PAIRS.empty_table()
    table = pa.concat_tables(tables).combine_chunks()
    return table.take(pa.array(distinct(table["left"].to_numpy(), table["right"].to_numpy())))


def _pieces(pairs: pa.Table, job: Job, how: Banded) -> Iterator[pa.Table]:
    """Cut pairs so that the payloads of both rows of a piece fit the memory of a task."""
    most = max(1, job.memory_bytes // (how.payload_bytes * 8))
    for start in range(0, pairs.num_rows, most):
        yield pairs.slice(start, most)


def _alike(how: Banded, pairs: pa.Table, payloads: Payloads) -> tuple[Ids, Ids]:
    left, right = payloads.take(pairs["left_order"].to_numpy()), payloads.take(pairs["right_order"].to_numpy())
    return _kept(pairs, _told(how)(left, right))


def _told(how: Banded) -> Callable[[pa.Array, pa.Array], NDArray[np.bool_]]:
    if how.alike is None:
        raise TypeError(how)
    return how.alike


def _kept(pairs: pa.Table, alike: NDArray[np.bool_]) -> tuple[Ids, Ids]:
    return pairs["left"].to_numpy()[alike], pairs["right"].to_numpy()[alike]


def _flat(values: pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks()
