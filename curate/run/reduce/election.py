"""Who survives in each cluster: ranges of nodes nominate their best rows, clusters elect, and the word goes back."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from curate.plan import Step
from curate.run.job import Job
from curate.run.reduce.corpus import between, by_leaders, corpus, reduce_of
from curate.run.reduce.leaders import leaders
from curate.run.reduce.ranks import RANKED, among, best, best_of_many, ranked
from curate.run.reduce.shape import ROW_BYTES
from curate.run.reduce.spill import bucket_of, read_bucket, scatter, spilling
from curate.run.reduce.stars import EDGES, links_file, roots
from curate.run.reduce.tasks import Each
from curate.storage import Folder

NOMINEES = RANKED.append(pa.field("root", pa.uint64(), nullable=False))
BONDS = EDGES.append(pa.field("root", pa.uint64(), nullable=False))
ELECTED = pa.schema(
    [
        pa.field("node", pa.uint64(), nullable=False),
        pa.field("check", pa.uint64(), nullable=False),
        *(f.with_name(f"winner_{f.name}") for f in RANKED if f.name in {"high", "low", "order"}),
    ]
)


def elected_file(bucket: int) -> str:
    """Return the name of what a range of clusters elected, cut by node."""
    return f"elected-{bucket:05d}.arrow"


def _bonds_file(bucket: int) -> str:
    return f"bonds-{bucket:05d}.arrow"


def elect(job: Job, step: Step, folder: Folder, stars: Sequence[str], edges: Sequence[str], each: Each) -> None:
    """Write, for each node of a cluster, the row that stands for it."""
    buckets = between(job, step).rows
    list(each(_nominate, ((job, step, folder, stars, edges, b) for b in range(buckets))))
    list(each(_elect, ((job, step, folder, b) for b in range(buckets))))


def _nominate(job: Job, step: Step, folder: Folder, stars: Sequence[str], edges: Sequence[str], bucket: int) -> None:
    name = f"nominees-{bucket:05d}.arrow"
    if folder.exists(name):
        return
    stage, buckets = reduce_of(step), between(job, step).rows
    nodes, root = roots(folder, stars, bucket, buckets)
    if by_leaders(step) and not folder.exists(_bonds_file(bucket)):
        _write_bonds(folder, edges, bucket, buckets, (nodes, root))
    rows = (t.filter(pa.array(among(t["node"], nodes))) for t in ranked(stage, corpus(job, step), bucket, buckets))
    table = best_of_many(rows, "node", job.memory_bytes // (ROW_BYTES * 4))
    table = table.append_column("root", pa.array(root[np.searchsorted(nodes, table["node"].to_numpy())]))
    with spilling(folder, name, NOMINEES) as spill:
        spill.add(scatter(table.cast(NOMINEES), bucket_of(table["root"].to_numpy(), buckets), buckets))


def _write_bonds(
    folder: Folder, edges: Sequence[str], bucket: int, buckets: int, labels: tuple[np.ndarray, np.ndarray]
) -> None:
    """Write the pairs that were found alike, each with its cluster."""
    tables = read_bucket(folder, map(links_file, edges), bucket, buckets)
    table = pa.concat_tables([EDGES.empty_table(), *tables]).combine_chunks()
    nodes, root = labels
    cluster = root[np.searchsorted(nodes, table["center"].to_numpy())] if table.num_rows else np.empty(0, np.uint64)
    with spilling(folder, _bonds_file(bucket), BONDS) as spill:
        spill.add(
            scatter(table.append_column(BONDS.field("root"), pa.array(cluster)), bucket_of(cluster, buckets), buckets)
        )


def _elect(job: Job, step: Step, folder: Folder, bucket: int) -> None:
    if folder.exists(elected_file(bucket)):
        return
    buckets = between(job, step).rows
    found = read_bucket(folder, (f"nominees-{b:05d}.arrow" for b in range(buckets)), bucket, buckets)
    table = pa.concat_tables([NOMINEES.empty_table(), *found]).combine_chunks()
    if by_leaders(step):
        bonds = read_bucket(folder, map(_bonds_file, range(buckets)), bucket, buckets)
        winner = table.take(pa.array(leaders(table, pa.concat_tables([BONDS.empty_table(), *bonds]))))
    else:
        first = best(table, "root")
        at = np.searchsorted(first["root"].to_numpy(), table["root"].to_numpy())
        winner = first.take(pa.array(at))
    columns = [table["node"], table["check"], winner["high"], winner["low"], winner["order"]]
    elected = pa.table(columns, schema=ELECTED)
    with spilling(folder, elected_file(bucket), ELECTED) as spill:
        spill.add(scatter(elected, bucket_of(elected["node"].to_numpy(), buckets), buckets))
