"""From a table to the filter's columns: texts, screen, model, second judge."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.stage import Measured, Scorer
from filters.toxicity.raters import load_rater
from filters.toxicity.screen import screened
from filters.toxicity.second import Second
from filters.toxicity.texts import Scores, Texts, gather

Flags = npt.NDArray[np.bool_]


def open_scorer(stage: Any) -> Scorer:
    """Load what a `Toxicity` names; return its scorer.

    Raises:
        ModelError: weights, a prompt or a key are not here.
    """
    rate = _open_cascade(stage)
    ask = stage.second.open() if stage.second else None

    def score(table: pa.Table) -> list[pa.Array] | Measured:
        texts = gather(table, stage.columns)
        scores, judges = rate(texts.distinct)
        highest = texts.highest(scores)
        columns = [pa.array(label, pa.float32(), from_pandas=True) for label in highest.T]
        if stage.screen:
            columns.append(_judges(texts, judges))
        if ask is None:
            return columns
        opinion, failed = _second_opinion(stage.second, ask, texts, scores, highest)
        return Measured([*columns, opinion], failed)

    return score


def _open_cascade(stage: Any) -> Callable[[Sequence[str]], tuple[Scores, Flags]]:
    """Return a function from texts to scores, and to who was rated by `model` rather than `screen`."""
    labels = stage.tells()
    whole = stage.long_texts == "whole"
    rate = load_rater(stage.model, labels, stage.precision, whole=whole)
    screen = load_rater(stage.screen.model, labels, whole=whole) if stage.screen else None

    def cascade(texts: Sequence[str]) -> tuple[Scores, Flags]:
        if not texts:
            return np.zeros((0, len(labels)), np.float32), np.zeros(0, np.bool_)
        if screen is None:
            return rate(texts), np.ones(len(texts), np.bool_)
        return screened(screen, stage.screen.below, rate, texts)

    return cascade


def _judges(texts: Texts, by_model: Flags) -> pa.Array:
    """Say of each sample who judged it: `model` if it saw any of its texts; null where there is no text."""
    judge = np.full(texts.samples, "", object)
    judge[texts.rows] = "screen"
    judge[texts.rows[by_model[texts.indices]]] = "model"
    return pa.array([name or None for name in judge], pa.string())


def _second_opinion(
    second: Second, ask: Callable[[Sequence[str]], Any], texts: Texts, scores: Scores, highest: Scores
) -> tuple[pa.Array, pa.Array]:
    """Ask about the texts that make a sample uncertain; return its highest opinion, and why it failed where it did."""
    low, high = second.between
    rated = _top(highest)
    wanted = ((rated >= low) & (rated <= high))[texts.rows] & (_top(scores)[texts.indices] >= low)
    rows, indices = texts.rows[wanted], texts.indices[wanted]
    asked, where = np.unique(indices, return_inverse=True)
    opinion = np.full(texts.samples, np.nan, np.float32)
    failed: list[str | None] = [None] * texts.samples
    if len(asked):
        answers, reasons = ask([texts.distinct[index] for index in asked])
        np.fmax.at(opinion, rows, answers[where])
        for row, text in zip(rows, where, strict=True):
            failed[row] = failed[row] or reasons[text]
    return pa.array(opinion, pa.float32(), from_pandas=True), pa.array(failed, pa.string())


def _top(scores: Scores) -> Scores:
    """Return the highest label of each; no row is without any."""
    found: Scores = np.nanmax(scores, axis=1) if len(scores) else np.zeros(0, np.float32)
    return found
