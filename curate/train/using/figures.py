"""Scores of what was said or found, each with the interval that a bootstrap over the samples gives it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.train.scores import answers as right
from curate.train.scores import captions as written
from curate.train.scores.bootstrap import interval
from curate.train.scores.ranking import ranks

_KS = (1, 5, 10)
_TOPS = (1, 5)


class Figure(NamedTuple):
    """A score, and the bounds of its 95 % interval; none for BLEU, which is no mean over samples."""

    mean: float
    low: float | None = None
    high: float | None = None


Figures = dict[str, Figure]


def of_captions(said: Sequence[str], captions: Sequence[Sequence[str]]) -> Figures:
    """Return CIDEr, BLEU-1 to BLEU-4 and ROUGE-L.

    Raises:
        TrainError: see `scores.captions.score_captions`.
    """
    whole = written.score_captions(said, captions)
    each = {"CIDEr": written.cider_of_each(said, captions), "ROUGE-L": written.rouge_of_each(said, captions)}
    return {name: _figure(each[name]) if name in each else Figure(score) for name, score in whole.items()}


def of_answers(said: Sequence[str], answers: Sequence[Sequence[str]]) -> Figures:
    """Return exact match and VQA accuracy, and what counts for captions.

    Raises:
        TrainError: see `scores.answers.vqa_accuracy`.
    """
    return {
        "exact_match": _figure(right.match_of_each(said, answers)),
        "VQA_accuracy": _figure(right.accuracy_of_each(said, answers)),
        **of_captions(said, answers),
    }


def of_ranking(scores_GT: NDArray[np.floating], texts_of: Sequence[set[int]], *, pictures: bool) -> Figures:
    """Return R@1, R@5, R@10 and the mean reciprocal rank of texts for each picture, or of `pictures` for each text.

    `texts_of` has the columns of each picture's texts.

    Raises:
        TrainError: see `scores.ranking.ranks`.
    """
    places = ranks(scores_GT.T, transposed(texts_of, scores_GT.shape[1])) if pictures else ranks(scores_GT, texts_of)
    found = {f"R@{k}": _figure((places <= k).astype(float)) for k in _KS}
    return {**found, "MRR": _figure(1 / places)}


def of_classes(scores_NC: NDArray[np.floating], labels: Sequence[int]) -> Figures:
    """Return top-1 and top-5 accuracy.

    Raises:
        TrainError: see `scores.ranking.ranks`.
    """
    places = ranks(scores_NC, [{label} for label in labels])
    return {f"top-{k}": _figure((places <= k).astype(float)) for k in _TOPS}


def transposed(texts_of: Sequence[set[int]], texts: int) -> list[set[int]]:
    """Return the pictures of each text, from the texts of each picture."""
    pictures_of: list[set[int]] = [set() for _ in range(texts)]
    for picture, columns in enumerate(texts_of):
        for column in columns:
            pictures_of[column].add(picture)
    return pictures_of


def _figure(each: NDArray[np.float64]) -> Figure:
    return Figure(*interval(each))
