"""Sentences with labelled personal data, from the generator of presidio-evaluator, in an environment of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path.home() / ".cache" / "curate" / "bench" / "presidio-evaluator-0.3.2"
PINS = (
    "presidio-evaluator==0.3.2",
    "presidio-anonymizer==2.2.366",
    "faker==40.63.0",
    "plotly==7.1.0",
    "narwhals==2.29.0",
)
"""The generator and what it needs beside what Curate's own environment has; none of it enters that."""

GENERATE = """
import json, sys
from presidio_evaluator.data_generator import PresidioSentenceFaker
faker = PresidioSentenceFaker("en_US", lower_case_ratio=0, random_seed=int(sys.argv[2]))
made = faker.generate_new_fake_sentences(int(sys.argv[1]))
rows = [[s.full_text, [[p.start_position, p.end_position, p.entity_type] for p in s.spans]] for s in made]
json.dump(rows, open(sys.argv[3], "w"))
"""
ADDRESS = frozenset({"STREET_ADDRESS", "ZIP_CODE", "GPE"})
"""An address is labelled in pieces: number, street, flat, city, country, code."""


@dataclass(frozen=True)
class Gold:
    """One labelled value: its pieces, each characters start (in) to stop (out)."""

    entity: str
    pieces: tuple[tuple[int, int], ...]
    extent: tuple[int, int]
    """From the first piece to the last, with cities and codes of an address in between or around."""


@dataclass(frozen=True)
class Sentence:
    """A text and the values in it."""

    text: str
    golds: tuple[Gold, ...]


def sentences(count: int, seed: int) -> list[Sentence]:
    """Return generated sentences; the first call installs the generator, the first of a kind runs it."""
    stored = CACHE / f"sentences-{count}-{seed}.json"
    if not stored.exists():
        packages = CACHE / "packages"
        if not (packages / "presidio_evaluator").exists():
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(packages)]
            subprocess.run([*pip, *PINS], check=True)
        new = stored.with_suffix(".new")
        # It asks a web site for names of hospitals and goes on without: with no way out, everybody gets the same.
        environment = os.environ | {"PYTHONPATH": str(packages), "https_proxy": "http://127.0.0.1:9"}
        command = [sys.executable, "-c", GENERATE, str(count), str(seed), str(new)]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        new.rename(stored)
    return [_sentence(text, spans) for text, spans in json.loads(stored.read_text())]


def _sentence(text: str, spans: list[tuple[int, int, str]]) -> Sentence:
    """Join labels; a backslash and n of the templates become the line break they stand for, in two characters."""
    text = text.replace("\\n", " \n")
    golds, run = [], []
    for start, stop, entity in sorted(spans):
        if run and not _belongs(text, run, start, entity):
            golds += _closed(run)
            run = []
        run.append((start, stop, entity))
    return Sentence(text, (*golds, *_closed(run)))


def _belongs(text: str, run: list[tuple[int, int, str]], start: int, entity: str) -> bool:
    """Tell whether a label goes on the address before it: only blanks, commas and marks of a quote are between."""
    between = text[run[-1][1] : start].strip(" \n,>?.")
    return not between and {entity, run[-1][2]} <= ADDRESS


def _closed(run: list[tuple[int, int, str]]) -> list[Gold]:
    streets = tuple((start, stop) for start, stop, entity in run if entity == "STREET_ADDRESS")
    if streets:
        return [Gold("STREET_ADDRESS", streets, (run[0][0], run[-1][1]))]
    return [Gold(entity, ((start, stop),), (start, stop)) for start, stop, entity in run]
