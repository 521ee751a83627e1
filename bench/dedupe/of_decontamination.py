"""Test items planted in real documents, and documents without any: what is found, and how fast, beside datatrove.

Items of eight benchmarks are planted, each in a page of its own of English manuals: as they are; in capitals, with
other punctuation; their first half only; with every twentieth or tenth word another, which stand for paraphrases.
Pages without a planted item are manuals of software, which no benchmark quotes: what is found there is a false alarm.
"""

import json
import os
import random
import re
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.comparison import Comparison
from bench.dedupe.evaluation_sets import evaluation_sets
from bench.documents import documents
from curate.dedupe.decontaminate import Decontaminate
from curate.dedupe.evaluation import Item, read_set

PEER = Path("~/.cache/curate/bench/decontamination-peer").expanduser()
PACKAGES = ("datatrove==0.10.1", "spacy==3.8.18", "xxhash==3.5.0", "regex==2026.11.19", "pyarrow==26.0.1", "orjson")
SAME = {"n": 12, "shortest": 12, "common": None, "most_numbers": 1.0}
"""As datatrove looks, with `find_query_ngrams`."""

Flags = npt.NDArray[np.bool_]


def _reworded(text: str, every: int) -> str:
    """Put another word in place of one of `every`."""
    words = text.split()
    return " ".join(f"{word}x" if place % every == every // 2 else word for place, word in enumerate(words))


FORMS: dict[str, Callable[[str], str]] = {
    "as they are": lambda text: text,
    "capitals, other punctuation": lambda text: re.sub(r"[.,;:?!'\"]+", " — ", text).upper(),
    "first half": lambda text: " ".join(text.split()[: (len(text.split()) + 1) // 2]),
    "every twentieth word another": lambda text: _reworded(text, 20),
    "every tenth word another": lambda text: _reworded(text, 10),
}


@dataclass(frozen=True)
class Planted:
    """Documents with an item each: what of which set, and in which form."""

    texts: list[str]
    sets: npt.NDArray[np.str_]
    forms: npt.NDArray[np.str_]


def comparisons(quick: bool) -> Iterator[Comparison]:
    sets = evaluation_sets()
    items = {name: read_set(name, texts) for name, texts in sets.items()}
    corpus = documents()
    english = corpus.filter(pc.starts_with(pc.utf8_lower(corpus["language"]), "en"))["text"].to_pylist()
    planted = _plant(items, english, 25 if quick else 200)
    clean = english[:1000] if quick else english
    texts = [*planted.texts, *clean]
    stages = {
        "defaults": Decontaminate(texts=sets),
        "share_at_most 0.2": Decontaminate(texts=sets, share_at_most=0.2),
        "as datatrove": Decontaminate(texts=sets, **SAME),
    }
    ours = {name: _dropped(stage, texts) for name, stage in stages.items()}
    theirs = _peer(items, texts)
    there = np.array(theirs["dropped"])
    yield from _recall(planted, ours, there[: len(planted.texts)])
    for name, found in ours.items():
        alarms = found[len(planted.texts) :]
        what = f"false alarms, {name}, of {len(clean):,} English manual pages"
        yield Comparison(what, float(alarms.sum()), float(there[len(planted.texts) :].sum()), "documents", "")
    every = _dropped(stages["defaults"], corpus["text"].to_pylist())
    yield Comparison(f"false alarms, defaults, of {len(corpus):,} pages in 22 languages", float(every.sum()), None,
                     "documents", "")  # fmt: skip
    same = ours["as datatrove"]
    yield Comparison("as datatrove: found by us alone", float((same & ~there).sum()), None, "documents", "0")
    yield Comparison("as datatrove: found by datatrove alone", float((there & ~same).sum()), None, "documents", "0")
    yield from _speed(stages, texts, theirs["seconds"])


def _plant(items: dict[str, list[Item]], hosts: list[str], count: int) -> Planted:
    draw = random.Random(0)
    texts, sets, forms = [], [], []
    for name, of_set in items.items():
        for form, written in FORMS.items():
            for item in draw.sample(of_set, min(count, len(of_set))):
                lines = draw.choice(hosts).split("\n")
                lines.insert(draw.randrange(len(lines) + 1), written("\n".join([*item.queries, *item.labels[:1]])))
                texts.append("\n".join(lines))
                sets.append(name)
                forms.append(form)
    return Planted(texts, np.array(sets), np.array(forms))


def _recall(planted: Planted, ours: dict[str, Flags], theirs: Flags) -> Iterator[Comparison]:
    for form in FORMS:
        for name in ("all", *dict.fromkeys(planted.sets.tolist())):
            here = (planted.forms == form) & ((planted.sets == name) | (name == "all"))
            peer = float(theirs[here].mean())
            for settings, found in ours.items():
                if settings == "defaults" or name == "all":
                    what = f"recall, {settings}, {form}, {name} ({here.sum()})"
                    yield Comparison(what, float(found[: len(here)][here].mean()), peer, "share", "")


def _table(texts: list[str]) -> pa.Table:
    return pa.table({"text": pa.array(texts, pa.string())})


def _dropped(stage: Decontaminate, texts: list[str]) -> Flags:
    measured = stage.open()(_table(texts))
    scores = pa.table(list(measured.columns), schema=pa.schema(stage.outputs()))
    return np.asarray(stage.decide(scores).is_valid())


def _speed(stages: dict[str, Decontaminate], texts: list[str], peer_seconds: float) -> Iterator[Comparison]:
    size = sum(len(text.encode()) for text in texts)
    for name in ("as datatrove", "defaults"):
        score, table = stages[name].open(), _table(texts)
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            for start in range(0, len(texts), 1000):  # as partitions come
                score(table.slice(start, 1000))
            best = min(best, time.process_time() - started)
        goal = ">= 10 x" if name == "as datatrove" else ""
        yield Comparison(
            f"speed, {name}, texts of {size / len(texts) / 1000:.1f} KB", len(texts) / best, len(texts) / peer_seconds,
            "docs/CPU s", goal,
        )  # fmt: skip
        yield Comparison(f"speed, {name}", size / best / 1e6, size / peer_seconds / 1e6, "MB/CPU s", goal)


def _peer(items: dict[str, list[Item]], texts: list[str]) -> dict[str, object]:
    if not (PEER / "ready").exists():
        venv.create(PEER, with_pip=True, clear=True)
        subprocess.run([PEER / "bin" / "python", "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (PEER / "ready").touch()
    pairs = [pair for of_set in items.values() for item in of_set for pair in _pairs(item)]
    with tempfile.TemporaryDirectory() as folder:
        asked, given, told = (Path(folder, name) for name in ("items.json", "texts.parquet", "told.json"))
        asked.write_text(json.dumps(pairs))
        pq.write_table(_table(texts), given)
        code = Path(__file__).with_name("decontamination_peer.py")
        one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run([PEER / "bin" / "python", "-W", "ignore", code, asked, given, told], check=True, env=one_thread)
        return dict(json.loads(told.read_text()))


def _pairs(item: Item) -> list[tuple[str | None, str]]:
    """Return an item as datatrove's indexer takes it: (query, label), or texts by themselves."""
    if not item.labels:
        return [(None, query) for query in item.queries]
    return [(query, label) for query in item.queries for label in item.labels]
