"""Input that breaks deduplication elsewhere: one document a million times, a document of 50 MB, nulls, nothing at all.

The recipe is run whole, from jsonl to shards, in a process of its own whose peak memory is told. Time for four times as
many copies should be four times as long; a search that compared copies with each other would take sixteen.
"""

import json
import multiprocessing
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.comparison import Comparison

COPIES = (250_000, 1_000_000)
LARGE_BYTES = 50_000_000
SAID = "The same document, word for word, as often as a crawl can hold it: a licence, a notice, an empty template."
RECIPE = """
name: hostile
max_failed_fraction: 0.5
source:
  documents: {path: %s, partition_size: 20000}
stages:
  - near_duplicates
  - repeated_paragraphs: {unit: line, min_chars_left: 0}
sink:
  webdataset: {}
"""


@dataclass(frozen=True)
class Run:
    """What one run took and said."""

    seconds: float
    gib: float
    books: dict[str, dict[str, object]]


def documents(path: Path, copies: int) -> None:
    """Write the copies, two nulls, two empty documents, and two of 50 MB that differ in one word."""
    draw = random.Random(0)
    words = [f"word{draw.randrange(10**6)}" for _ in range(LARGE_BYTES // 11)]
    with path.open("w") as stream:
        for number in range(copies):
            stream.write(json.dumps({"id": f"copy-{number}", "text": SAID}) + "\n")
        for number, text in enumerate((None, None, "", "")):
            stream.write(json.dumps({"id": f"nothing-{number}", "text": text}) + "\n")
        for number in range(2):
            stream.write(json.dumps({"id": f"large-{number}", "text": " ".join([*words, f"end{number}"])}) + "\n")


def run(folder: Path, copies: int) -> Run:
    """Run the recipe from a process of its own: the peak memory of children is told for all together."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (folder, copies))


def _run(folder: Path, copies: int) -> Run:
    listed, recipe, out = (folder / f"{copies}.{end}" for end in ("jsonl", "yaml", "run"))
    documents(listed, copies)
    recipe.write_text(RECIPE % listed)
    code = "import sys; from curate.cli import main; sys.argv = ['curate', *sys.argv[1:]]; main()"
    line = [sys.executable, "-c", code, "run", str(recipe), "--out", str(out), "--local"]
    subprocess.run(line, check=True, capture_output=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / (1 << 20),
        json.loads((out / "books.json").read_text())["stages"],
    )


def comparisons(quick: bool) -> Iterator[Comparison]:
    sizes = tuple(n // 20 for n in COPIES) if quick else COPIES
    with tempfile.TemporaryDirectory(dir=Path("~/.cache").expanduser(), prefix="curate-hostile-") as root:
        small, large = (run(Path(root), copies) for copies in sizes)
    for copies, one in zip(sizes, (small, large), strict=True):
        what = f"{copies:,} copies of one document, 2 of 50 MB, 2 nulls, 2 empty ones"
        yield Comparison(f"{what}: CPU seconds", one.seconds, None, "s", "")
        yield Comparison(f"{what}: peak memory", one.gib, None, "GiB", "")
        for stage in ("documents", "near_duplicates", "webdataset"):
            books = one.books[stage]
            kept, dropped, failed = books["kept"], books["dropped"], books["failed"]
            yield Comparison(
                f"{what}: {stage} keeps (dropped {dropped}, failed {failed})", float(str(kept)), None, "rows", ""
            )
    yield Comparison("time of four times as many copies over four", large.seconds / 4, small.seconds, "s", "1",
                     less_is_better=True)  # fmt: skip
