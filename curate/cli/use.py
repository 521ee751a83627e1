"""A trained model from the command line: what it says, finds and scores, printed for people or for machines."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from curate.errors import TrainError

if TYPE_CHECKING:
    from curate.train.using.embedding import Vectors
    from curate.train.using.evaluating import Measures
    from curate.train.using.items import Items
    from curate.train.using.opened import Opened
    from curate.train.using.retrieving import Query, Search
    from curate.train.using.sources import Source
    from curate.train.using.speaking import Asking

EVERY_S = 5.0
WIDTH = 120


def run_answers(opened: "Opened", images: Sequence[Path], asking: "Asking", *, as_json: bool) -> None:
    """Print what is said of each picture."""
    from curate.train.using.speaking import answer

    said = answer(opened, [image.read_bytes() for image in images], asking)
    for image, words in zip(images, said, strict=True):
        if as_json:
            print(json.dumps({"image": str(image), "question": asking.question or "", "said": words}))
        else:
            print(words if len(images) == 1 else f"{image}: {words}")


def run_answers_of(opened: "Opened", data: str, asking: "Asking", at_most: int | None) -> None:
    """Print a line of JSON for each sample of a run."""
    from curate.train.using.items import usable
    from curate.train.using.sources import Source, collect
    from curate.train.using.speaking import answers, asked

    opened.speaks()
    items = collect(opened, Source((data,), at_most=at_most), asked=asking.question is not None)
    items = usable(opened, items, lambda item: asked(opened, item, asking))
    tell = counted("asked", len(items.found))
    for item, said in zip(items.found, answers(opened, items.found, asking, told=tell), strict=True):
        question = asking.spelled(item.question)
        print(json.dumps({"key": item.key, "question": question, "said": said, "answers": item.answers}), flush=True)
    tell_failed(items)


def run_retrieval(opened: "Opened", data: str, query: "Query", search: "Search", *, as_json: bool) -> None:
    """Print what of a run fits a query best: key, score, caption."""
    from curate.train.using.items import anything, of_samples, usable, whole_run
    from curate.train.using.retrieving import retrieve
    from curate.train.using.sources import open_run

    opened.embeds()
    mixture = open_run(opened, [data])
    gallery = usable(opened, of_samples(mixture, whole_run(mixture), anything))
    tell = counted("looked through", len(gallery.found))
    for hit in retrieve(opened, query, gallery, search, tell):
        if as_json:
            print(json.dumps({"key": hit.key, "score": round(hit.score, 6), "caption": hit.caption}))
        else:
            print(f"{hit.key}  {hit.score:7.4f}  {hit.caption}")
    tell_failed(gallery)


def run_embedding_of(opened: "Opened", data: str, out: Path, *, captions: bool) -> None:
    """Write the vectors of every sample of a run.

    Raises:
        TrainError: a sample cannot be used, and a .npy has no keys that would say which.
    """
    from curate.train.using import items
    from curate.train.using.embedding import of_items
    from curate.train.using.sources import open_run

    opened.embeds()
    mixture = open_run(opened, [data])
    pose = items.captions if captions else items.anything
    found = items.of_samples(mixture, items.whole_run(mixture), pose)
    found = items.usable(opened, found, (lambda item: opened.reads().captioned(item.answers[0])) if captions else bool)
    if found.failed and out.suffix == ".npy":
        failed = found.failed.total()
        raise TrainError(f"{failed} samples cannot be used, and a .npy cannot say which: write a .parquet")
    told = counted("embedded", len(found.found))
    parts = of_items(opened, found.found, captions=captions, told=told)
    run_embedding([item.key for item in found.found], parts, out)
    tell_failed(found)


def run_embedding(keys: Sequence[str], parts: "Iterator[Vectors]", out: Path) -> None:
    """Write vectors and say how many."""
    from curate.train.using.embedding import write

    shape = write(out, keys, parts)
    print(f"{out}: {' x '.join(map(str, shape))}, each vector of length 1")


def run_evaluation(
    opened: "Opened", source: "Source", measures: "Measures", out: Path | None, *, as_json: bool
) -> None:
    """Print a table of scores, with pictures and without; write them to `out` as JSON."""
    from curate.train.using.evaluating import evaluate
    from curate.train.using.sources import collect

    items = collect(opened, source, asked=measures.asking.question is not None)
    report = evaluate(opened, items, measures, _Lines().show)
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(report))
    else:
        _show_scores(report)


def read_names(path: Path) -> tuple[str, ...]:
    """Return the lines of a file that are not blank.

    Raises:
        TrainError: there is none, a name stands twice, or it is not UTF-8.
    """
    try:
        names = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TrainError(f"{path}: cannot be read as text: {error}") from error
    twice = next((name for name in names if names.count(name) > 1), None)
    if not names or twice:
        raise TrainError(f"{path}: " + (f"'{twice}' stands twice" if twice else "names no class") + "; one name a line")
    return tuple(names)


def counted(doing: str, of: int) -> Callable[[int], None]:
    """Return what counts samples that are done and says so now and then."""
    lines, done = _Lines(), 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        lines.show({"event": doing, "done": done, "of": of})

    return more


def tell_failed(items: "Items") -> None:
    """Say which samples could not be used."""
    for reason, count in items.failed.most_common():
        print(f"{count} samples not used: {reason}", file=sys.stderr)


class _Lines:
    """Progress on standard error, one line every few seconds."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def show(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        if now - self.last >= EVERY_S:
            self.last = now
            pictures = f" ({event['pictures']} pictures)" if "pictures" in event else ""
            print(f"{event['event']} {event['done']} of {event['of']}{pictures}", file=sys.stderr, flush=True)


def _show_scores(report: dict[str, Any]) -> None:
    sights = list(next(iter(report["scores"].values())))
    table = Table(box=None, pad_edge=False)
    for name in ("score", *sights):
        table.add_column(name, justify="left" if name == "score" else "right")
    for name, by_sight in report["scores"].items():
        table.add_row(name, *(_spelled(by_sight[sight]) for sight in sights))
    console = Console(markup=False)
    (console if console.is_terminal else Console(markup=False, width=WIDTH)).print(table)
    print(f"{report['samples']:,} samples of {report['preset']}; in brackets the 95 % interval over samples")
    for reason, count in report["failed"].items():
        print(f"{count} samples not used: {reason}")


def _spelled(figure: dict[str, float | None]) -> str:
    if figure["low"] is None:
        return f"{figure['mean']:.4f}" + " " * 19
    return f"{figure['mean']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"
