"""Both corpora from beginning to end, with the commands that a user would type."""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from curate.demo.debian import Say
from curate.demo.run import curate_command, found_recipe
from curate.demo.text.pages import DEBIAN, Pages, collect
from curate.demo.text.told import Told, tell
from curate.demo.text.writing import (
    ARCHIVE,
    EXPECTED_LINES,
    EXPECTED_WARC,
    LINES,
    document,
    write_archive,
    write_lines,
    write_questions,
)
from curate.errors import RunError
from curate.shards import Manifest
from curate.storage import Folder

QUESTIONS = "questions.jsonl"
Row = TypeVar("Row")


@dataclass(frozen=True)
class TextDemo:
    """Where things go."""

    out: Path
    cache: Path
    say: Say


@dataclass(frozen=True)
class Made:
    """One corpus: a recipe and what it is given."""

    recipe: str
    source: str
    input: Path
    rows: int
    expected: dict[tuple[str, str], int]


def make(demo: TextDemo) -> None:
    """Make both corpora, say what came of them, and hold them to what they must be.

    Raises:
        CurateError: a command failed, or a corpus is not what it must be.
    """
    began = time.monotonic()
    pages = collect(demo.cache, demo.say)
    languages = {page.url: page.language for page in (*pages.help, *pages.guide)}
    folder = demo.out / "input"
    for made in _inputs(folder, pages):
        demo.say(f"\n{made.rows:,} rows in {made.input}, {sum(made.expected.values())} of them planted to go wrong")
        run = demo.out / made.source
        settings = _settings(made, folder, few=pages.origin != DEBIAN)
        curate_command(demo.say, "run", found_recipe(made.recipe), *settings, "--local", "--out", str(run))
        curate_command(demo.say, "check", str(run))
        told = tell(run, languages, demo.say)
        _hold(made, told)
        again = demo.out / f"{made.source}-again"
        # The first run is in one process; of the second corpus, this one is on Ray. The bytes are to be the same.
        where = ["--local"] if made.source == "warc" else []
        curate_command(demo.say, "run", found_recipe(made.recipe), *settings, *where, "--out", str(again))
        _same(demo, run, again)
    if pages.origin != DEBIAN:
        demo.say("!! this was the small demo: a page a language, and no near-duplicates among them")
    demo.say(f"the demo took {time.monotonic() - began:.0f} s; its runs are in {demo.out}")


def _inputs(folder: Path, pages: Pages) -> Iterable[Made]:
    folder.mkdir(parents=True, exist_ok=True)
    documents = [made for page in pages.guide if (made := document(page)) is not None]
    write_questions(folder / QUESTIONS, [*filter(None, map(document, _some(pages.help))), *_some(documents)])
    rows = write_archive(folder, pages.help)
    yield Made("pipelines/text_warc.yaml", "warc", folder / ARCHIVE, rows, EXPECTED_WARC)
    rows = write_lines(folder, documents)
    yield Made("pipelines/text.yaml", "documents", folder / LINES, rows, EXPECTED_LINES)


def _some(rows: Sequence[Row]) -> list[Row]:
    return list(rows[:: max(1, len(rows) // 5)])


def _settings(made: Made, folder: Path, *, few: bool) -> list[str]:
    """Return what the recipe must be told. Of few rows, those planted to fail are more than it lets pass."""
    sets = json.dumps({"demo": {"path": str(folder / QUESTIONS), "columns": ["question"]}})
    changed = [f"{made.source}.path={made.input}", f"decontaminate.texts={sets}"]
    if few:
        changed.append(f"{made.source}.max_failed_fraction=0.1")
    return [word for setting in changed for word in ("--set", setting)]


def _hold(made: Made, told: Told) -> None:
    """Hold a run to what was planted.

    Raises:
        RunError: a planted row met another reason, or nothing was found that must be there.
    """
    wrong = [f"{stage} {reason}: {told.reasons[stage, reason]} rows, planted were {count}"
             for (stage, reason), count in made.expected.items() if told.reasons[stage, reason] != count]  # fmt: skip
    if told.rows != made.rows:
        wrong.append(f"{told.rows:,} rows have a fate, {made.rows:,} were given")
    if not told.kept:
        wrong.append("nothing was kept")
    if wrong:
        raise RunError("\n".join(("the corpus is not what it must be:", *wrong)))


def _same(demo: TextDemo, run: Path, again: Path) -> None:
    first, second = (Manifest.load(Folder(str(path))) for path in (run, again))
    if first != second:
        raise RunError(f"{run} and {again}: the same recipe on the same input gave other shards")
    for entry in first.shards:
        digests = {hashlib.sha256((path / "shards" / entry.name).read_bytes()).hexdigest() for path in (run, again)}
        if digests != {entry.sha256}:
            raise RunError(f"{run} and {again}: shards/{entry.name} differs")
    demo.say(f"a second run gave the same bytes: version {first.version[:16]}, {len(first.shards)} shards")
