"""Semantic duplicates: pairs and time beside SemDeDup in scikit-learn, what cells lose, what each epsilon finds.

Texts: English pages and paragraphs of manuals, captions of stamps. Pictures: the stamps, changed as copies are.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from bench.comparison import Comparison
from bench.dedupe import semantic_data as data
from curate.dedupe import SemanticDuplicates
from curate.sample import EMBEDDING

PEER = ("scikit-learn==1.7.2", "joblib==1.5.2", "threadpoolctl==3.6.0")
EPSILONS = (0.01, 0.02, 0.05, 0.1, 0.2)
WIDTH = 384
Places = np.ndarray[Any, np.dtype[np.int64]]


def comparisons(quick: bool) -> Iterator[Comparison]:
    torch.set_num_threads(1)
    yield from _beside_the_peer(10_000, 10)
    if not quick:
        yield from _beside_the_peer(100_000, 100)
    yield from _what_cells_lose(3_000 if quick else 30_000)
    yield from _what_chains_do(3_000 if quick else 30_000)
    yield from _texts(60 if quick else 500)
    yield from _captions(100 if quick else None)
    yield from _pictures(60 if quick else 785)


def synthetic(rows: int) -> data.Vectors:
    """Return vectors around 500 topics, one in twenty of them a copy at a cosine of 0.9 to 1 of the one before it."""
    random = np.random.default_rng(0)
    topics = random.normal(size=(500, WIDTH))
    vectors = topics[random.integers(0, 500, rows)] + random.normal(size=(rows, WIDTH))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    copies = np.arange(1, rows, 20)
    noise = random.normal(size=(len(copies), WIDTH)) / np.sqrt(WIDTH)
    vectors[copies] = vectors[copies - 1] + noise * random.uniform(0, 0.48, (len(copies), 1))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def _beside_the_peer(rows: int, clusters: int) -> Iterator[Comparison]:
    vectors = synthetic(rows)
    for cells in (1, clusters):
        ours, took = _ours(vectors, cells, 0.05)
        theirs, peer_took = _peer(vectors, cells, 0.05)
        named = f"{rows} vectors, {'every pair' if cells == 1 else f'{cells} clusters'}"
        yield Comparison(f"{named}: CPU seconds", took, peer_took, "s", "<= peer", less_is_better=True)
        yield Comparison(f"{named}: pairs", len(ours), len(theirs), "pairs", "equal" if cells == 1 else "")
        if cells == 1:
            both, every = len(ours & theirs), ours
            yield Comparison(f"{named}: pairs of both", both, len(theirs), "pairs", "equal")
        else:
            recalls = [len(found & every) / len(every) for found in (ours, theirs)]
            yield Comparison(f"{named}: recall of every pair", *recalls, "share", "")
            twice, took = _ours(vectors, cells, 0.05, searched=2)
            named += ", two a row"
            yield Comparison(f"{named}: CPU seconds", took, peer_took, "s", "", less_is_better=True)
            yield Comparison(f"{named}: recall of every pair", len(twice & every) / len(every), recalls[1], "share", "")


def _sketched(vectors: data.Vectors) -> pa.Array:
    offsets = pa.array(np.arange(len(vectors) + 1) * vectors.shape[1], pa.int32())
    column = pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel())).cast(EMBEDDING)
    return SemanticDuplicates(column="text_embedding").open()(pa.table({"text_embedding": column})).payload


def _ours(
    vectors: data.Vectors, clusters: int, epsilon: float, searched: int = 1
) -> tuple[set[tuple[int, int]], float]:
    """Return pairs and the CPU seconds of sketching, learning, assigning and comparing."""
    stage = SemanticDuplicates(
        column="text_embedding",
        epsilon=epsilon,
        clusters=clusters,
        cells_searched=searched,
        sample=max(1000, 256 * clusters),
    )
    started = time.process_time()
    payload = _sketched(vectors)
    comparing = stage.comparing()
    if clusters == 1:
        cells = np.zeros((len(vectors), 1), np.uint64)
    else:
        cells = comparing.cells.assign(comparing.cells.learn(payload.slice(0, stage.sample)), payload)
    found = set()
    for cell in np.unique(cells):
        rows = np.flatnonzero((cells == cell).any(axis=1))
        own = payload.take(pa.array(rows))
        i, j = comparing.find(own, own)
        found |= set(zip(rows[i].tolist(), rows[j].tolist(), strict=True))
    return found, time.process_time() - started


def _peer(vectors: data.Vectors, clusters: int, epsilon: float) -> tuple[set[tuple[int, int]], float]:
    packages = data.ROOT / "scikit-learn"
    if not packages.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(packages)]
        subprocess.run([*pip, *PEER], check=True)
    with tempfile.TemporaryDirectory() as folder:
        given, stored = Path(folder, "vectors.npy"), Path(folder, "pairs.npy")
        np.save(given, vectors)
        script = Path(__file__).with_name("semdedup.py")
        environment = {**os.environ, "PYTHONPATH": str(packages)}
        command = [sys.executable, str(script), str(given), str(clusters), str(epsilon), str(stored)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        pairs = {(i, j) for i, j in np.load(stored).tolist()}
    return pairs, sum(json.loads(done.stdout).values())


def _what_chains_do(rows: int) -> Iterator[Comparison]:
    """Share of rows dropped, and the largest cluster, by what hangs together and by what is like a row that stays."""
    texts = data.paragraphs(rows)
    payload = _sketched(data.embedded(data.TEXTS, texts))
    for epsilon in EPSILONS:
        i, j = (
            SemanticDuplicates(column="text_embedding", epsilon=epsilon, linkage="leader")
            .comparing()
            .find(payload, payload)
        )
        joined = _components(len(texts), i, j)
        stands = _leaders(len(texts), i, j)
        for linkage, label in (("single", joined), ("leader", stands)):
            sizes = np.bincount(label)
            named = f"{len(texts)} paragraphs, linkage {linkage}, epsilon {epsilon}"
            yield Comparison(f"{named}: dropped", 1 - np.count_nonzero(sizes) / len(texts), None, "share", "")
            yield Comparison(f"{named}: largest cluster", int(sizes.max()), None, "rows", "", less_is_better=True)


def _leaders(rows: int, i: Places, j: Places) -> Places:
    """Return the row that stands for each: in order, one that is like none that stays, stays."""
    stands = np.arange(rows)
    for k in np.lexsort((i, j)):
        if stands[j[k]] == j[k] and stands[i[k]] == i[k]:
            stands[j[k]] = i[k]
    return stands


def _what_cells_lose(rows: int) -> Iterator[Comparison]:
    """Recall within cells of every pair, beside the one that cells for the two nearest centres would have."""
    texts = data.paragraphs(rows)
    payload = _sketched(data.embedded(data.TEXTS, texts))
    for clusters in (3, 10, 30, 100, 300):
        stage = SemanticDuplicates(column="text_embedding", clusters=clusters, sample=max(rows, 39 * clusters))
        cells = stage.comparing().cells
        learned = cells.learn(payload)
        if len(learned) < 8 + clusters * WIDTH * 2:
            return  # too few rows for so many clusters
        each = cells.assign(learned, payload)
        for epsilon in (0.02, 0.05, 0.1, 0.2):
            i, j = SemanticDuplicates(column="text_embedding", epsilon=epsilon).comparing().find(payload, payload)
            one = each[i, 0] == each[j, 0]
            two = (each[i, :, None] == each[j, None, :]).any(axis=(1, 2))
            named = f"{len(texts)} paragraphs, {clusters} clusters, epsilon {epsilon}, {len(i)} pairs"
            yield Comparison(f"{named}: pairs within a cluster", float(one.mean()), None, "share", "")
            yield Comparison(f"{named}: with two clusters a row", float(two.mean()), None, "share", "")


def _texts(count: int) -> Iterator[Comparison]:
    helps = data.pages(("libreoffice-help-en-us", "libreoffice-help-en-gb"), count)
    guides = data.pages(("installation-guide-amd64", "installation-guide-i386"), count)
    for named, groups in (("help page in US and GB English", helps), ("guide page for two machines", guides)):
        # What is the same to the letter is no question of meaning.
        differ = [group for group in groups if group[0] != group[1]]
        one, other = (data.embedded(data.TEXTS, [group[side] for group in differ]) for side in (0, 1))
        yield from _found(f"{len(differ)} x {named}", one, {"found": other})
        yield from _mistaken(f"{len(differ)} x {named}", one)


def _captions(count: int | None) -> Iterator[Comparison]:
    english = data.captions()
    distinct = list(dict.fromkeys(english.values()))[:count]
    one = data.embedded(data.TEXTS, distinct)
    copies = {
        what: data.embedded(data.TEXTS, [change(t) for t in distinct]) for what, change in data.REWORDINGS.items()
    }
    yield from _found(f"{len(distinct)} captions", one, copies)
    for language in ("de", "fr"):
        other = data.captions(language)
        both = [(english[name], other[name]) for name in other if name in english][:count]
        sides = [data.embedded(data.TEXTS, list(side)) for side in zip(*both, strict=True)]
        yield from _found(f"{len(both)} captions", sides[0], {f"in {language}": sides[1]})
    yield from _mistaken(f"{len(distinct)} captions", one)


def _pictures(count: int) -> Iterator[Comparison]:
    stamps = data.stamps(count)
    one = data.embedded(data.PICTURES, [data.encoded(stamp) for stamp in stamps])
    copies = {
        what: data.embedded(data.PICTURES, [change(stamp) for stamp in stamps]) for what, change in data.CHANGES.items()
    }
    yield from _found(f"{len(stamps)} stamps", one, copies)
    yield from _mistaken(f"{len(stamps)} stamps", one)


def _found(named: str, one: data.Vectors, copies: dict[str, data.Vectors]) -> Iterator[Comparison]:
    """Yield the share of copies whose own original is a duplicate by the stage."""
    for what, other in copies.items():
        pairs = _cosines(one, other)
        for epsilon in EPSILONS:
            share = float((pairs > 1 - epsilon).mean())
            yield Comparison(f"{named}, {what}, epsilon {epsilon}", share, None, "share found", "")


def _cosines(one: data.Vectors, other: data.Vectors) -> np.ndarray[Any, Any]:
    sides = [side.astype(np.float64) for side in (one, other)]
    return np.einsum("nd,nd->n", *sides) / np.prod([np.linalg.norm(side, axis=1) for side in sides], axis=0)


def _mistaken(named: str, one: data.Vectors) -> Iterator[Comparison]:
    """Yield how many of n samples that are all different would be dropped: rows less clusters."""
    payload = _sketched(one)
    for epsilon in EPSILONS:
        i, j = SemanticDuplicates(column="text_embedding", epsilon=epsilon).comparing().find(payload, payload)
        dropped = _dropped(len(one), i, j)
        what = f"{named}, all different, epsilon {epsilon}, {len(i)} pairs"
        yield Comparison(what, dropped / len(one), None, "share dropped", "", less_is_better=True)


def _dropped(rows: int, i: Places, j: Places) -> int:
    return rows - len(np.unique(_components(rows, i, j)))


def _components(rows: int, i: Places, j: Places) -> Places:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined: Callable[..., tuple[int, Places]] = connected_components
    return joined(coo_array((np.ones(len(i)), (i, j)), shape=(rows, rows)), directed=False)[1]
