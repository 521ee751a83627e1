"""Promises of a threshold, kept or not: ours beside the usual way, the threshold whose observed share is small enough.

1,500 labelled comments are drawn, with repetition, from the 6,594 of "Detecting Insults in Social Commentary", whose
risks at any threshold are known; a threshold is chosen at 95 % confidence, and its promise is kept or it is not.

`python -m bench.privacy.of_audit FOLDER` writes the comments as label files and as a list: what docs/audit.md works on.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.comparison import Comparison
from bench.privacy.toxicity_data import insults
from curate.audit.calibrate import calibrate, scored_of
from curate.audit.lexicon import mentions
from curate.audit.measuring import compared, measure
from curate.audit.promise import Promise
from curate.audit.thresholds import Scored
from curate.errors import InputError
from curate.registry import stages

DRAWN = 1500
TRAIN = 3947
"""Comments of the competition's first part; the others are the part that its answers were tested on."""
PROMISES = ("missed<=0.1", "missed<=0.05", "false_positive_rate<=0.02", "false_positive_rate<=0.05", "bad_kept<=0.1")


def comparisons(quick: bool) -> Iterator[Comparison]:
    comments = insults()
    scores = _scores(comments.texts)
    for spelled in PROMISES:
        promise = Promise.of(spelled)
        kept = np.array([_kept(promise, scores, comments.toxic, seed) for seed in range(200 if quick else 1000)])
        ours, usual = kept.mean(axis=0)
        yield Comparison(
            f"{spelled} at 95 %: sets of labels whose threshold keeps it, refusals too", ours, usual, "share", ">= 0.95"
        )


def _scores(texts: list[str]) -> npt.NDArray[np.float64]:
    stage = stages()["toxicity"](model="tox-block")
    return compared(stage, "at_most", measure(stage, pa.table({"caption": pa.array(texts, pa.string())})))


def _kept(
    promise: Promise, scores: npt.NDArray[np.float64], bad: npt.NDArray[np.bool_], seed: int
) -> tuple[bool, bool]:
    everything, _ = scored_of(scores, bad, None)
    drawn = np.random.default_rng(seed).integers(0, len(scores), DRAWN)
    sample, _ = scored_of(scores[drawn], bad[drawn], None)
    usual = _holds(everything, promise, _usual(sample, promise))
    try:
        ours = calibrate(sample, "at_most", [promise], 0.95, seed=seed).chosen[0].value
    except InputError:
        return True, usual  # Refused: nothing is promised.
    return _holds(everything, promise, ours), usual


def _holds(rows: Scored, promise: Promise, threshold: float) -> bool:
    errors, trials = rows.counts(promise, np.array([threshold]))
    return bool(errors[0, 0] <= promise.at_most * trials[0, 0])


def _usual(rows: Scored, promise: Promise) -> float:
    """Return the threshold that loses least of those whose share in the labelled rows is at most what is promised."""
    thresholds = np.unique(rows.scores)
    errors, trials = rows.counts(promise, thresholds)
    fine = np.flatnonzero(errors[0] <= promise.at_most * trials[0])
    return float(thresholds[fine[-1 if promise.limits_keeping else 0]])


def write(folder: Path) -> None:
    """Write labels-a.csv and labels-b.csv, the two parts, and list.csv, the first as a list of URLs."""
    folder.mkdir(parents=True, exist_ok=True)
    comments = insults()
    named = np.logical_or.reduce([hit for _, hit in mentions(pa.array(comments.texts, pa.string()))])
    rows = list(zip(comments.texts, comments.toxic.astype(int).tolist(), np.where(named, "yes", "no"), strict=True))
    for name, part in (("labels-a.csv", rows[TRAIN:]), ("labels-b.csv", _agreeing(rows[:TRAIN]))):
        _write(folder / name, ("caption", "label", "names_people"), part)
    listed = [(f"http://comments.example/{i}", text) for i, (text, *_) in enumerate(rows[:TRAIN])]
    _write(folder / "list.csv", ("url", "caption"), listed)


def _agreeing(rows: list[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    """Return each text once, those left out that are labelled both ways."""
    said: dict[str, set[int]] = {}
    for text, label, _ in rows:
        said.setdefault(text, set()).add(label)
    return [row for row in dict.fromkeys(rows) if len(said[row[0]]) == 1]


def _write(path: Path, names: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(rows)


if __name__ == "__main__":
    write(Path(sys.argv[1]).expanduser())
