"""Toxicity: speed beside `Detoxify.predict`, and what the small models do to labelled comments, by group."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from bench.comparison import Comparison
from bench.privacy import toxicity_speed as speed
from bench.privacy.toxicity_data import Labelled, insults, jigsaw, peer_scores
from curate.audit.bounds import interval
from curate.audit.lexicon import dialect, mentions
from filters.toxicity import LABELS, Toxicity, detoxify

Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float32]
THRESHOLDS = (0.5, 0.8, 0.95)
SCREENS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
SAME_RATE = 0.05  # false-positive rate at which the two models are compared
LENGTHS = ((0, 10), (10, 50), (50, 200), (200, 10**6))


def comparisons(quick: bool) -> Iterator[Comparison]:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        yield from _speed(speed.checkpoint(Path(folder)), 12 if quick else 96)
    rows = 1_000 if quick else 20_000
    for data in (insults(), jigsaw(rows)):
        yield from _quality(_first(data, rows))


def _first(data: Labelled, rows: int) -> Labelled:
    return Labelled(data.name, data.texts[:rows], data.toxic[:rows])


def _speed(folder: Path, count: int) -> Iterator[Comparison]:
    """Ours and theirs on one core; CPU seconds, because other work on the machine takes turns with both."""
    theirs = speed.detoxify(folder)
    captions = ["a red boat at the quay", "two dogs on a beach", "portrait of an old man with a beard"]
    comments = speed.sample(insults().texts, count)
    kinds = {
        "mixed lengths": comments,
        "short": [f"{caption} {i}" for caption in captions for i in range(count // 3)],
        "long": sorted(comments, key=len)[-max(4, count // 12) :],
    }
    rates = {p: detoxify.load(folder, LABELS, p, whole=False) for p in ("float32", "bfloat16", "int8")}
    few = count < len(captions) * 10
    for name, texts in list(kinds.items())[: 1 if few else None]:
        yield from _one_speed(name, texts, theirs, rates)


def _one_speed(name: str, texts: list[str], theirs: object, rates: dict[str, Callable]) -> Iterator[Comparison]:  # type: ignore[type-arg]
    batches = [texts[start : start + 32] for start in range(0, len(texts), 32)]
    works = [
        lambda: [theirs.predict(text) for text in texts],  # type: ignore[attr-defined]
        lambda: [theirs.predict(batch) for batch in batches],  # type: ignore[attr-defined]
        *(lambda rate=rate: rate(texts) for rate in rates.values()),  # type: ignore[misc]
    ]
    loop, batched, *ours = (len(texts) / seconds for seconds in speed.cpu_seconds(works, 2 if len(texts) > 12 else 1))
    exact = np.array([[theirs.predict(text)[label] for label in LABELS] for text in texts])  # type: ignore[attr-defined]
    goal = ">= 3 x" if name == "mixed lengths" else ""
    for (precision, rate), quick in zip(rates.items(), ours, strict=True):
        what = f"{name}, {precision}"
        yield Comparison(
            f"{what}, predict in a loop", quick, loop, "texts/CPU s", goal if precision == "float32" else ""
        )
        yield Comparison(f"{what}, predict in batches of 32 as they come", quick, batched, "texts/CPU s", "")
        off = float(np.abs(rate(texts) - exact).max()) * 1e6
        yield Comparison(
            f"{what}, largest difference of a score", off, None, "millionths", "<= 1000", less_is_better=True
        )


def _quality(data: Labelled) -> Iterator[Comparison]:
    ours = tox_block(data.texts)
    theirs = peer_scores(data.texts)
    named = f"{data.name} ({len(data.texts)})"
    yield Comparison(f"{named}: ROC-AUC", _auc(ours, data.toxic), _auc(theirs, data.toxic), "", "")
    for at_most in THRESHOLDS:
        for what, of in (("false-positive rate", ~data.toxic), ("recall", data.toxic)):
            pair = [float((scores[of] > at_most).mean()) for scores in (ours, theirs)]
            yield Comparison(f"{named}: {what} at {at_most}", *pair, "", "", less_is_better=what != "recall")
    cuts = [float(np.quantile(scores[~data.toxic], 1 - SAME_RATE)) for scores in (ours, theirs)]
    for group, member in groups(data.texts):
        good = member & ~data.toxic
        for label, pair in _by_group(group, good, (ours, theirs), cuts):
            yield Comparison(f"{named}: {label}", *pair, "", "", less_is_better=True)
    yield from _screens(named, ours, data.toxic)


def _by_group(
    group: str, good: Flags, both: Sequence[Scores], cuts: Sequence[float]
) -> Iterator[tuple[str, tuple[float | None, float | None]]]:
    """Yield false-positive rates with exact 95 % intervals: at tox-block's thresholds, and at one rate overall."""
    count = int(good.sum())
    for at_most in THRESHOLDS:
        hits = int((both[0][good] > at_most).sum())
        yield (
            f"false positives at {at_most}, {group}, {hits} of {count} {_spelled(hits, count)}",
            (_share(hits, count), None),
        )
    hits = [int((scores[good] > cut).sum()) for scores, cut in zip(both, cuts, strict=True)]
    spelled = " and ".join(_spelled(hit, count) for hit in hits)
    yield (
        f"false positives at {SAME_RATE} overall, {group}, of {count} {spelled}",
        (
            _share(hits[0], count),
            _share(hits[1], count),
        ),
    )


def _share(hits: int, count: int) -> float | None:
    return hits / count if count else None


def _spelled(hits: int, count: int) -> str:
    low, high = interval(hits, count) if count else (0.0, 1.0)
    return f"[{low:.3f}, {high:.3f}]"


def _screens(named: str, scores: Scores, toxic: Flags) -> Iterator[Comparison]:
    """What tox-block as a screen keeps from the main model, and which share of what people called abusive that is."""
    for below in SCREENS:
        missed, count = int((scores[toxic] < below).sum()), int(toxic.sum())
        yield Comparison(
            f"{named}: screen below {below}, rated by it alone", float((scores < below).mean()), None, "", ""
        )
        what = f"{named}: screen below {below}, abusive passed unseen, {missed} of {count} {_spelled(missed, count)}"
        yield Comparison(what, missed / count, None, "", "", less_is_better=True)


def groups(texts: list[str]) -> Iterator[tuple[str, Flags]]:
    """Yield groups and who is in them: all, identity terms by category, dialect features, length in words."""
    column = pa.array(texts, pa.string())
    yield "all", np.ones(len(texts), np.bool_)
    by_category: dict[str, Flags] = {}
    for term, member in mentions(column):
        by_category[term.category] = by_category.get(term.category, np.zeros(len(texts), np.bool_)) | member
    features = dict(dialect(column))
    named = {**{f"names {c}": m for c, m in by_category.items()}, **{f"has {f}": m for f, m in features.items()}}
    yield "no identity term, no dialect feature", ~np.any(list(named.values()), axis=0)
    yield "any identity term", np.any(list(by_category.values()), axis=0)
    yield "any dialect feature", np.any(list(features.values()), axis=0)
    yield from named.items()
    words = np.array([len(text.split()) for text in texts])
    for low, high in LENGTHS:
        yield f"{low} words or more" if high > 10**5 else f"{low} to {high - 1} words", (words >= low) & (words < high)


def tox_block(texts: list[str]) -> Scores:
    """Rate as the stage does: the highest label of the worst window."""
    stage = Toxicity(model="tox-block")
    columns = stage.open()(pa.table({"caption": pa.array(texts, pa.string())}))
    return np.stack([np.asarray(column) for column in columns]).max(axis=0)


def _auc(scores: Scores, toxic: Flags) -> float:
    from scipy.stats import rankdata

    ranks, positive = rankdata(scores), int(toxic.sum())
    return float((ranks[toxic].sum() - positive * (positive + 1) / 2) / (positive * (len(toxic) - positive)))
