"""Quality rules for text beside datatrove's, on 20,000 real documents: documents a second, and equal decisions.

Run as `python -m bench.text [--quick]`: one JSON object a line, then every kind of difference. datatrove's filters run
with their own defaults, in an environment of their own under ~/.cache/curate/bench/text; seconds are CPU seconds
of one process on one thread each.
"""

import argparse
import json
import os
import subprocess
import time
import venv
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.documents import COUNT, documents
from curate.stage import Filter
from filters.text import C4Lines, C4Quality, FinewebQuality, GopherQuality, GopherRepetition

PEER = Path("~/.cache/curate/bench/text").expanduser()
PINS = ("datatrove==0.10.1", "spacy==3.8.18", "nltk", "pyarrow", "regex")
QUICK = 3000
BATCH = 1000
STAGES: tuple[Filter, ...] = (
    GopherQuality(unspaced="runs"),
    GopherRepetition(unspaced="runs"),
    C4Quality(),
    FinewebQuality(unspaced="runs"),
)
"""As datatrove reads scripts without spaces where it is told no language."""
REASONS = {
    "gopher_short_doc": "few_words",
    "gopher_long_doc": "many_words",
    "gopher_below_avg_threshold": "short_words",
    "gopher_above_avg_threshold": "long_words",
    "gopher_too_many_hashes": "hashes",
    "gopher_too_many_ellipsis": "ellipses",
    "gopher_too_many_bullets": "bullet_lines",
    "gopher_too_many_end_ellipsis": "ellipsis_lines",
    "gopher_below_alpha_threshold": "few_alphabetic_words",
    "gopher_enough_stop_words": "few_stop_words",
    "dup_para_frac": "duplicate_paragraphs",
    "dup_para_char_frac": "duplicate_paragraph_characters",
    "dup_line_frac": "duplicate_lines",
    "dup_line_char_frac": "duplicate_line_characters",
    **{f"duplicated_{n}_n_grams": f"duplicate_{n}_grams" for n in range(5, 11)},
    "curly_bracket": "curly_brackets",
    "too_few_sentences": "few_sentences",
    "line_punct_ratio": "few_ended_lines",
    "short_line_ratio": "short_lines",
    "char_dup_ratio": "duplicate_characters",
    "list_ratio": "many_newlines",
}
"""datatrove's reasons where ours have other names."""
Decisions = list[dict[str, str | None]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} documents")
    table = documents(QUICK if parser.parse_args().quick else COUNT)
    os.environ["OMP_NUM_THREADS"] = "1"
    peer = run_peer(table)
    judged(table.slice(0, 20))
    started = time.process_time()
    ours = judged(table)
    seconds = time.process_time() - started
    started = time.process_time()
    told = piped(table)
    seconds_piped = time.process_time() - started
    say("each filter on each document", len(table) / seconds, len(table) / peer["seconds"])
    say("as a pipeline", len(table) / seconds_piped, len(table) / peer["seconds_piped"])
    compare(ours, peer["decisions"])
    compare([{"pipeline": reason} for reason in told], [{"pipeline": renamed(reason)} for reason in peer["piped"]])


def renamed(piped_reason: str) -> str | None:
    """Turn `filter: reason` into our reason."""
    reason = piped_reason.partition(": ")[2]
    return REASONS.get(reason, reason) or None


def say(what: str, ours: float, peer: float) -> None:
    line = {"bench": "text", "what": what, "ours": round(ours, 1), "peer": round(peer, 1)}
    print(json.dumps(line | {"unit": "documents/s/core", "ratio": round(ours / peer, 2), "goal": ">= 10"}), flush=True)


def judged(table: pa.Table) -> Decisions:
    """Return what each of our filters says of each document, reasons by filter."""
    opened = [(stage, stage.open()) for stage in STAGES]
    found: Decisions = []
    for first in range(0, len(table), BATCH):
        batch = table.slice(first, BATCH)
        reasons = [decided(stage, scorer, batch) for stage, scorer in opened]
        found += [dict(zip([stage.name for stage in STAGES], row, strict=True)) for row in zip(*reasons, strict=True)]
    return found


def decided(stage: Filter, scorer: Any, batch: pa.Table) -> list[str | None]:
    scores = pa.table(list(scorer(batch)), names=[field.name for field in stage.outputs()])
    reasons: list[str | None] = stage.decide(scores).to_pylist()
    return reasons


def piped(table: pa.Table) -> list[str | None]:
    """Return why each document is dropped when each filter sees what those before it keep, null for what is kept.

    Lines are taken out between C4's filter and FineWeb's, as datatrove's C4 filter does.
    """
    opened = [(stage, stage.open()) for stage in STAGES]
    edit = C4Lines().open()
    told: list[str | None] = []
    for first in range(0, len(table), BATCH):
        batch = table.slice(first, BATCH).select(["text"])
        rows, reasons = list(range(len(batch))), [None] * len(batch)
        for stage, scorer in opened:
            if stage.name == "fineweb_quality":
                batch = edit(batch).columns
            why = decided(stage, scorer, batch)
            for row, reason in zip(rows, why, strict=True):
                reasons[row] = reason
            rows = [row for row, reason in zip(rows, why, strict=True) if reason is None]
            batch = batch.filter(pa.array([reason is None for reason in why], pa.bool_()))
        told += reasons
    return told


def compare(ours: Decisions, theirs: Decisions) -> None:
    """Print how many decisions and reasons are equal, and each kind of difference with its count and an example."""
    for name in ours[0]:
        differences: Counter[tuple[str | None, str | None]] = Counter()
        example: dict[tuple[str | None, str | None], int] = {}
        for row, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            pair = (mine[name], REASONS.get(other[name] or "", other[name]))
            if pair[0] != pair[1]:
                differences[pair] += 1
                example.setdefault(pair, row)
        decisions = sum(count for pair, count in differences.items() if None in pair)
        share = {"decisions": 1 - decisions / len(ours), "reasons": 1 - differences.total() / len(ours)}
        kinds = [[*pair, count, example[pair]] for pair, count in differences.most_common()]
        kept = sum(mine[name] is None for mine in ours)
        print(
            json.dumps(
                {"bench": "text", "filter": name, "kept": kept, "equal": share, "ours, theirs, count, row": kinds}
            )
        )


def run_peer(table: pa.Table) -> dict[str, Any]:
    """Have datatrove judge the texts; return what `text_peer` writes."""
    python, texts, decisions = PEER / "bin" / "python", PEER / "texts.parquet", PEER / "decisions.json"
    if not (PEER / "ready").exists():
        venv.create(PEER, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PINS], check=True)
        (PEER / "ready").touch()
    pq.write_table(table.select(["text"]), texts)
    subprocess.run([python, Path(__file__).with_name("text_peer.py"), texts, decisions], check=True)
    found: dict[str, Any] = json.loads(decisions.read_text())
    return found


if __name__ == "__main__":
    main()
