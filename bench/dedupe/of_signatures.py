"""Speed of signing documents, beside datatrove's `MinhashDedupSignature`: MB of text a CPU second on one core.

Both take 112 permutations of 5-word shingles. Ours also sorts each document's shingles, hashes the set and packs it for
verification; datatrove's writing and sorting of its files is left out.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

import pyarrow as pa
import pyarrow.parquet as pq

from bench.comparison import Comparison
from bench.dedupe.environments import run
from bench.documents import documents
from curate.dedupe import NearDuplicates

QUICK, FULL, ROUNDS = 2_000, 20_000, 3


def comparisons(quick: bool) -> Iterator[Comparison]:
    everything = documents()
    latin = everything.filter(pa.array([name.startswith("en") for name in everything["language"].to_pylist()]))
    yield _compared("all languages", everything.slice(0, QUICK if quick else FULL))
    yield _compared("English only", latin.slice(0, QUICK if quick else FULL))


def _compared(what: str, table: pa.Table) -> Comparison:
    size = megabytes(table)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "documents.parquet"
        pq.write_table(table, file)
        theirs = run("datatrove-minhash", "datatrove_signatures.py", str(file))["seconds"]
    sketch = NearDuplicates().open()
    sketch(table.slice(0, 1))  # the table of characters is made once a process
    ours = min(_seconds(lambda: sketch(table)) for _ in range(ROUNDS))
    named = f"signatures: {len(table)} documents, {size:.1f} MB, {what}; beside datatrove"
    return Comparison(named, size / ours, size / theirs, "MB/s", "10 x")


def megabytes(table: pa.Table) -> float:
    return sum(len(text.encode()) for text in table["text"].to_pylist()) / 1e6


def _seconds(work: Callable[[], object]) -> float:
    started = process_time()
    work()
    return process_time() - started
