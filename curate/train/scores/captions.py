"""CIDEr-D, BLEU and ROUGE-L as the COCO caption evaluation counts them (Chen et al. 2015, arXiv 1504.00325).

SPICE and METEOR are not here: they need a parser and a table of synonyms.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from curate.errors import TrainError
from curate.train.scores.words import words

_ORDERS = (1, 2, 3, 4)
_SIGMA = 6.0  # words of difference in length that cost CIDEr-D 1 - exp(-1/2)
_BETA = 1.2  # weight of recall against precision in ROUGE-L

_Grams = Counter[tuple[str, ...]]


def score_captions(said: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return CIDEr, BLEU-1 to BLEU-4 and ROUGE-L of one caption said of each picture.

    `references` are the captions people wrote, one or more for each picture. CIDEr lies between 0 and 10, the others
    between 0 and 1. CIDEr of a single picture is 0: each of
    its words is in all documents. BLEU of an order that nothing matches is 0, where the evaluation gives a trace.

    Raises:
        TrainError: the two differ in length, there is no picture, or a picture has no reference.
    """
    candidates, written = _tokenised(said, references)
    return {
        "CIDEr": float(np.mean(_cider(candidates, written))),
        **{f"BLEU-{order}": score for order, score in zip(_ORDERS, _bleu(candidates, written), strict=True)},
        "ROUGE-L": float(np.mean(_rouge(candidates, written))),
    }


def cider_of_each(said: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return CIDEr-D of each picture, float64[pictures], whose mean is the CIDEr of `score_captions`.

    Raises:
        TrainError: as `score_captions`.
    """
    return _cider(*_tokenised(said, references))


def rouge_of_each(said: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return ROUGE-L of each picture, float64[pictures], whose mean is the ROUGE-L of `score_captions`.

    Raises:
        TrainError: as `score_captions`.
    """
    return _rouge(*_tokenised(said, references))


def _tokenised(
    said: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[list[str]], list[list[list[str]]]]:
    if len(said) != len(references):
        raise TrainError(f"{len(said)} captions were said of {len(references)} pictures; say one of each picture")
    if not said:
        raise TrainError("there are no captions to score; evaluate at least one picture")
    for place, group in enumerate(references):
        if not group or isinstance(group, str):
            raise TrainError(f"picture {place} has no list of references; give it one or more, or leave it out")
    return [words(caption) for caption in said], [[words(caption) for caption in group] for group in references]


def _grams(sentence: list[str], order: int) -> _Grams:
    return Counter(zip(*(sentence[start:] for start in range(order)), strict=False))


# CIDEr-D: Vedantam et al. 2015, arXiv 1411.5726, equations 2 to 5 and section 5.


def _cider(said: list[list[str]], references: list[list[list[str]]]) -> NDArray[np.float64]:
    by_order = [_cider_of_order(said, references, order) for order in _ORDERS]
    return 10 * np.mean(by_order, axis=0)


def _cider_of_order(said: list[list[str]], references: list[list[list[str]]], order: int) -> list[float]:
    counted = [[_grams(sentence, order) for sentence in group] for group in references]
    pictures_with = Counter(gram for group in counted for gram in set().union(*group))
    weigh = _Weigh(pictures_with, len(said))
    scores = []
    for candidate, group, grams in zip(said, references, counted, strict=True):
        ours = _grams(candidate, order)
        likeness = [weigh.likeness(ours, theirs) for theirs in grams]
        scores.append(float(np.mean([a * _same_length(candidate, b) for a, b in zip(likeness, group, strict=True)])))
    return scores


class _Weigh:
    """How telling each n-gram is: its count times the log of pictures over pictures whose references hold it."""

    def __init__(self, pictures_with: Counter[tuple[str, ...]], pictures: int) -> None:
        self.rarity = {gram: math.log(pictures / count) for gram, count in pictures_with.items()}
        self.rarest = math.log(pictures)

    def _weights(self, grams: _Grams) -> dict[tuple[str, ...], float]:
        return {gram: count * self.rarity.get(gram, self.rarest) for gram, count in grams.items()}

    def likeness(self, said: _Grams, reference: _Grams) -> float:
        """Return the cosine in which a word said more often than written counts as often as written."""
        ours, theirs = self._weights(said), self._weights(reference)
        norms = math.hypot(*ours.values()) * math.hypot(*theirs.values())
        dot = sum(min(weight, theirs[gram]) * theirs[gram] for gram, weight in ours.items() if gram in theirs)
        return dot / norms if norms else 0.0


def _same_length(said: list[str], reference: list[str]) -> float:
    # The evaluation counts bigrams as the length: one less than the words, but none for none.
    difference = max(len(said) - 1, 0) - max(len(reference) - 1, 0)
    return math.exp(-(difference**2) / (2 * _SIGMA**2))


# BLEU: Papineni et al. 2002, sections 2.1 to 2.3, over the whole corpus.


def _bleu(said: list[list[str]], references: list[list[list[str]]]) -> list[float]:
    pairs = list(zip(said, references, strict=True))
    spoken = sum(map(len, said))
    written = sum(_closest(len(candidate), map(len, group)) for candidate, group in pairs)
    brevity = math.exp(min(0.0, 1 - written / spoken)) if spoken else 0.0
    precisions = [_precision(pairs, order) for order in _ORDERS]
    return [brevity * math.prod(precisions[:order]) ** (1 / order) for order in _ORDERS]


def _closest(length: int, lengths: Iterable[int]) -> int:
    return min(lengths, key=lambda other: (abs(other - length), other))


def _precision(pairs: list[tuple[list[str], list[list[str]]]], order: int) -> float:
    spoken = correct = 0
    for candidate, group in pairs:
        grams, most = _grams(candidate, order), Counter[tuple[str, ...]]()
        for sentence in group:
            most |= _grams(sentence, order)
        spoken += grams.total()
        correct += (grams & most).total()
    return correct / spoken if spoken else 0.0


# ROUGE-L: Lin 2004, section 3.1, with the best precision and the best recall over the references.


def _rouge(said: list[list[str]], references: list[list[list[str]]]) -> NDArray[np.float64]:
    return np.array([_rouge_l(candidate, group) for candidate, group in zip(said, references, strict=True)])


def _rouge_l(candidate: list[str], references: list[list[str]]) -> float:
    shared = [(_longest_common(candidate, reference), len(reference)) for reference in references]
    precision = max(common / max(len(candidate), 1) for common, _ in shared)
    recall = max(common / max(length, 1) for common, length in shared)
    if not precision:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def _longest_common(left: list[str], right: list[str]) -> int:
    """Return the length of the longest common subsequence, not necessarily in one piece."""
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for place, other in enumerate(right, 1):
            diagonal, row[place] = row[place], diagonal + 1 if word == other else max(row[place], row[place - 1])
    return row[-1]
