"""Near-duplicates: what default settings find and miss beside brute force, and what it costs beside other tools.

Nine in ten documents are real, with the near-duplicates that manuals of two dialects and three machines have; one in
ten is an edited copy of one. The real engine runs, from a Parquet file to shards, in this process on one core.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from bench.comparison import Comparison
from bench.dedupe.brute_force import Pairs, alike, planted, word_runs
from bench.dedupe.environments import run
from bench.dedupe.of_signatures import megabytes
from bench.documents import documents
from curate.dedupe import NearDuplicates
from curate.recipe import parse_recipe
from curate.reduce import Sketch
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.storage import Folder

QUICK, FULL, ROUNDS = 2_000, 20_000, 3
AT_LEAST = 0.8
Places = np.ndarray[Any, np.dtype[np.int64]]


def comparisons(quick: bool) -> Iterator[Comparison]:
    os.environ.setdefault("CURATE_KEY_SECRET", "00" * 32)
    count = QUICK if quick else FULL
    real = documents(count * 9 // 10)["text"].to_pylist()
    texts = real + planted(real, count - len(real))
    table = pa.table({"id": [str(i) for i in range(count)], "text": texts})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "documents.parquet"
        pq.write_table(table, file)
        true = alike([word_runs(text) for text in texts], AT_LEAST)
        yield from _of_pairs(table, true)
        yield from _of_clusters(file, folder, count, true)
        yield from _of_time(file, folder, megabytes(table))


def _of_pairs(table: pa.Table, true: Pairs) -> Iterator[Comparison]:
    """Compare pairs, in a join of our own; equal sets are one document here, and all their pairs are pairs."""
    differing = {pair: jaccard for pair, jaccard in true.items() if jaccard < 1}
    for verify in ("texts", "signatures", "none"):
        stage = NearDuplicates(verify=verify)
        found = joined(stage, stage.open()(table))
        named = f"pairs, verify: {verify}"
        for low, high in ((0.8, 1.0), (0.8, 0.85), (0.85, 0.9), (0.9, 1.0)):
            within = {pair for pair, jaccard in differing.items() if low <= jaccard < high}
            if within:
                what = f"{named}: recall of {len(within)} with {low} <= J < {high}"
                yield Comparison(what, len(within & found) / len(within), None, "share", "0.95")
        unequal = {pair for pair in found if true.get(pair, 0) < 1}
        right = len(unequal & differing.keys()) / max(1, len(unequal))
        yield Comparison(f"{named}: precision of {len(unequal)}", right, None, "share", "1.0")


def joined(stage: NearDuplicates, sketch: Sketch) -> set[tuple[int, int]]:
    """Return all pairs of rows that share a band or node, and that the stage calls alike."""
    rows = np.flatnonzero(~sketch.apart)
    met = [_sharing(column, rows) for column in (*sketch.bands[rows].T, sketch.node[rows])]
    pairs = np.unique(np.concatenate(met), axis=0)
    how = stage.comparing().alike
    if how is not None:
        pairs = pairs[how(*(sketch.payload.take(pa.array(side)) for side in pairs.T))]
    return set(map(tuple, pairs.tolist()))


def _sharing(values: np.ndarray, rows: Places) -> Places:
    order = np.argsort(values, kind="stable")
    groups = np.split(rows[order], np.flatnonzero(np.diff(values[order])) + 1)
    pairs = [np.stack(np.triu_indices(len(g), 1), axis=1) for g in groups if len(g) > 1]
    owned = [np.sort(g[p], axis=1) for g, p in zip((g for g in groups if len(g) > 1), pairs, strict=True)]
    return np.concatenate([np.empty((0, 2), np.int64), *owned])


def _of_clusters(file: Path, folder: str, count: int, true: Pairs) -> Iterator[Comparison]:
    """Compare clusters of the whole run with the connected components of all true pairs."""
    _, report = whole_run(file, f"{folder}/run", ["near_duplicates"])
    survivor = survivors(Folder(f"{folder}/run"), count)
    left, right = np.array(list(true)).T
    label = connected_components(sparse.coo_matrix((np.ones(len(left)), (left, right)), (count, count)))[1]
    together = survivor[left] == survivor[right]
    dropped = np.flatnonzero(survivor != np.arange(count))
    what = f"clusters: share of {len(true)} pairs with J >= {AT_LEAST} that are together"
    yield Comparison(what, float(together.mean()), None, "share", "0.95")
    what = f"clusters: share of {len(dropped)} dropped documents that a chain of such pairs joins to the one kept"
    yield Comparison(what, float((label[dropped] == label[survivor[dropped]]).mean()), None, "share", "1.0")
    expected = count - len(np.unique(label))
    yield Comparison("clusters: documents dropped, beside brute force", len(dropped), expected, "documents", "")
    if report.get("complete") is None:
        raise SystemExit("the run did not end")


def _of_time(file: Path, folder: str, size: float) -> Iterator[Comparison]:
    """Time whole runs with and without the stage; the difference is what the operator of another tool does."""
    juicer = run("data-juicer", "data_juicer_minhash.py", str(file))
    other = run("text-dedup", "text_dedup_minhash.py", str(file))
    without = min(whole_run(file, f"{folder}/without-{i}", [])[0] for i in range(ROUNDS))
    for verify in ("none", "texts"):
        stages = [{"near_duplicates": {"verify": verify}}]
        taken = min(whole_run(file, f"{folder}/{verify}-{i}", stages)[0] for i in range(ROUNDS))
        what = f"time, verify: {verify}: the stage alone, beside Data-Juicer's operator ({juicer['kept']} kept)"
        yield Comparison(what, size / (taken - without), size / juicer["seconds"], "MB/s", "10 x")
        what = f"time, verify: {verify}: file to shards, beside text-dedup's command ({other['kept']} kept)"
        yield Comparison(what, size / taken, size / other["seconds"], "MB/s", "> 1 x")


def whole_run(file: Path, url: str, stages: Sequence[Any]) -> tuple[float, Mapping[str, Any]]:
    """Carry a recipe out; return its CPU seconds and the last of its events by name."""
    tree = {
        "name": "near",
        "source": {"documents": {"path": str(file)}},
        "stages": list(stages),
        "sink": {"webdataset": {"samples_per_shard": 5000}},
    }
    recipe = parse_recipe(yaml.safe_dump(tree).encode(), "near.yaml")
    events: dict[str, Any] = {}
    started = process_time()
    execute(recipe, Run.at(url), LocalRunner, lambda event: events.update({event["event"]: event}))
    return process_time() - started, events


def survivors(out: Folder, count: int) -> Places:
    """Return int64[count]: the number of the document that stands for each."""
    work, numbers, survivor = out / "work", {}, np.arange(count)
    for name in work.names("source"):
        if name.startswith("part-"):
            part = work.read_parquet(f"source/{name}", ["document", "key"])
            numbers |= dict(zip(part["key"].to_pylist(), map(int, part["document"].to_pylist()), strict=True))
    for stage in work.names("reduce"):
        for decision in work.names(f"reduce/{stage}") if stage.startswith("near_duplicates") else ():
            folder = work / "reduce" / stage / decision
            for name in folder.names():
                if name.startswith("verdict-"):
                    table = pa.ipc.open_file(folder.open_native(name)).read_all()
                    for key, other in zip(table["key"].to_pylist(), table["survivor"].to_pylist(), strict=True):
                        survivor[numbers[key]] = numbers[other]
    return survivor
