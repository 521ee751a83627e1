"""Connected components in parallel rounds: alternately large star and small star, each task one range of nodes.

Each round reads the edges of its range of centers and writes those of the next round's. After a number of rounds that
grows with the logarithm of the longest chain what is left are stars: each node beside the smallest of its component.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from curate.errors import IntegrityError
from curate.plan import Step
from curate.run.job import Job
from curate.run.reduce.corpus import between, by_leaders
from curate.run.reduce.graph import Ids, distinct, forest, large_star, small_star
from curate.run.reduce.sketches import mix
from curate.run.reduce.spill import bucket_of, column, read_bucket, said, scatter, spilling
from curate.run.reduce.tasks import Each
from curate.storage import Folder

EDGES = pa.schema([pa.field("center", pa.uint64(), nullable=False), pa.field("other", pa.uint64(), nullable=False)])
MOST_ROUNDS = 100
"""Chains of 2^50 rows end within this."""


def links_file(edges: str) -> str:
    """Return the name of the file beside an edge file that has its pairs as they were found."""
    return edges.replace("edges-", "links-", 1)


def write_found(job: Job, step: Step, folder: Folder, name: str, found: Iterable[tuple[Ids, Ids]]) -> None:
    """Write the pairs of nodes that a task found alike, and beside it the pairs themselves where leaders are picked."""
    pairs, buckets = list(found), between(job, step).rows
    left, right = (np.concatenate([np.empty(0, np.uint64), *(pair[side] for pair in pairs)]) for side in (0, 1))
    if by_leaders(step) and not folder.exists(links_file(name)):
        once = distinct(left, right)
        table = pa.table([left[once], right[once]], schema=EDGES)
        with spilling(folder, links_file(name), EDGES) as spill:
            spill.add(scatter(table, bucket_of(left[once], buckets), buckets))
    write_edges(folder, name, left, right, buckets)


def write_edges(folder: Folder, name: str, left: Ids, right: Ids, buckets: int) -> None:
    """Write what some pairs join, as stars and in both directions: never more than two records a node."""
    node, root = forest(left, right)
    with spilling(folder, name, EDGES) as spill:
        spill.add(_both_ways(node, root, buckets))
        spill.said = {"edges": len(node)}


def _both_ways(left: Ids, right: Ids, buckets: int) -> list[pa.RecordBatch]:
    center, other = np.concatenate([left, right]), np.concatenate([right, left])
    return scatter(pa.table([center, other], schema=EDGES), bucket_of(center, buckets), buckets)


def components(folder: Folder, names: Sequence[str], buckets: int, each: Each) -> list[str]:
    """Join the components of all edge files; return the files that say, for each node, the smallest of its component.

    Raises:
        IntegrityError: the rounds do not end, which only damaged files can cause.
    """
    if len(names) == 1:
        return list(names)
    before: tuple[int, int] | None = None
    for turn in range(MOST_ROUNDS):
        seen = list(each(_turn, ((folder, "large", turn, b, buckets, names) for b in range(buckets))))
        names = _files("large", turn, buckets)
        now = sum(n for n, _ in seen), sum(s for _, s in seen) % (1 << 64)
        list(each(_turn, ((folder, "small", turn, b, buckets, names) for b in range(buckets))))
        names = _files("small", turn, buckets)
        if now == before:
            return names
        before = now
    raise IntegrityError(f"{folder.url}: clusters were not joined in {MOST_ROUNDS} rounds; delete this folder")


def _files(star: str, turn: int, buckets: int) -> list[str]:
    return [f"{star}-{turn:03d}-{b:05d}.arrow" for b in range(buckets)]


def _turn(folder: Folder, star: str, turn: int, bucket: int, buckets: int, names: Sequence[str]) -> tuple[int, int]:
    """Carry out one star for one range of centers; return how many edges came of it, and their sum."""
    name = _files(star, turn, buckets)[bucket]
    done = said(folder, name)
    if done is None:
        tables = read_bucket(folder, names, bucket, buckets)
        center, other = column(tables, "center", np.uint64), column(tables, "other", np.uint64)
        left, right = (large_star if star == "large" else small_star)(center, other)
        with spilling(folder, name, EDGES) as spill:
            if star == "large":
                table = pa.table([left, right], schema=EDGES)
                spill.add(scatter(table, bucket_of(left, buckets), buckets))
            else:
                spill.add(_both_ways(left, right, buckets))
            spill.said = done = {"edges": len(left), "sum": int(mix(left, right).sum(dtype=np.uint64))}
    return done["edges"], done["sum"]


def roots(folder: Folder, names: Sequence[str], bucket: int, buckets: int) -> tuple[Ids, Ids]:
    """Return the nodes of a range that are in clusters, sorted, and the smallest node of each one's cluster."""
    tables = read_bucket(folder, names, bucket, buckets)
    center, other = column(tables, "center", np.uint64), column(tables, "other", np.uint64)
    order = np.argsort(center, kind="stable")
    center, least = center[order], np.minimum(center, other)[order]
    starts = np.flatnonzero(np.concatenate([[True], center[1:] != center[:-1]])) if len(center) else np.empty(0, int)
    return center[starts], np.minimum.reduceat(least, starts) if len(starts) else least
