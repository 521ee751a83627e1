"""Are questions answered as people answer them: VQA accuracy (Antol et al. 2015, arXiv 1505.00468) and equality.

Both sides are always normalised by the rules of the VQA evaluation; its programs differ in when they do.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curate.errors import TrainError

_ENOUGH = 3  # people who must agree for a whole point
_ARTICLES = frozenset(["a", "an", "the"])
_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_DIGITS = {"none": "0", **{name: str(number) for number, name in enumerate(_NUMBERS)}}
_SIGNS = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_STOP_BEFORE_NO_DIGIT = re.compile(r"\.(?!\d)")

_CONTRACTIONS = """ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't
he'd he'd've he's how'd how'll how's i'd've i'm i've isn't it'd it'd've it'll ma'am might've mightn't mightn't've
must've mustn't needn't not've o'clock oughtn't shan't she'd've should've shouldn't shouldn't've somebody'd've
somebody'll somebody's someone'd someone'd've someone'll someone's something'd something'd've something'll that's
there'd there'd've there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll
what're what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't
would've wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've"""
"""Those whose spelling without apostrophes is no other word: `its`, `well` and `were` stay."""


def _missing_apostrophes(word: str) -> list[str]:
    places = [place for place, letter in enumerate(word) if letter == "'"]
    return [word.replace("'", ""), *(word[:place] + word[place + 1 :] for place in places)]


_SPELLED = {spelling: word for word in _CONTRACTIONS.split() for spelling in _missing_apostrophes(word)}


def vqa_accuracy(said: Sequence[str], answers: Sequence[Sequence[str]]) -> float:
    """Return the mean VQA accuracy of one answer said to each question, 0 to 1.

    `answers` are what people answered to each question, ten in VQA v2.

    Raises:
        TrainError: the two differ in length, there is no question, or a question has no answers.
    """
    return float(np.mean(accuracy_of_each(said, answers)))


def accuracy_of_each(said: Sequence[str], answers: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return the VQA accuracy of each question, float64[questions].

    Each person is left out in turn; the answer earns a third of a point for each of the others who gave it, at most
    one; the mean counts. Where fewer than four people answered, all of the others are enough for the whole point, and a
    single answer must be met.

    Raises:
        TrainError: as `vqa_accuracy`.
    """
    _require_pairs(said, answers)
    return np.array([_accuracy(one, group) for one, group in zip(said, answers, strict=True)])


def exact_match(said: Sequence[str], answers: Sequence[Sequence[str]]) -> float:
    """Return the share of questions whose answer is, once normalised, one of the accepted answers.

    Raises:
        TrainError: as `vqa_accuracy`.
    """
    return float(np.mean(match_of_each(said, answers)))


def match_of_each(said: Sequence[str], answers: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return 1 for each question whose answer is, once normalised, an accepted one, else 0, float64[questions].

    Raises:
        TrainError: as `vqa_accuracy`.
    """
    _require_pairs(said, answers)
    pairs = zip(said, answers, strict=True)
    return np.array([normalised(one) in map(normalised, group) for one, group in pairs], float)


def normalised(answer: str) -> str:
    """Return an answer in lower case, without punctuation and articles, numbers to ten as digits, apostrophes back."""
    spoken = _without_signs(" ".join(answer.split())).lower().split()
    digits = [_DIGITS.get(word, word) for word in spoken]
    return " ".join(_SPELLED.get(word, word) for word in digits if word not in _ARTICLES)


def _without_signs(answer: str) -> str:
    """Drop a sign that stands beside a space somewhere, or all of them around a number like 1,000; else split there."""
    in_number, text = _COMMA_IN_NUMBER.search(answer), answer
    for sign in _SIGNS:
        loose = f"{sign} " in answer or f" {sign}" in answer
        text = text.replace(sign, "" if loose or in_number else " ")
    return _STOP_BEFORE_NO_DIGIT.sub("", text)


def _accuracy(said: str, answers: Sequence[str]) -> float:
    one, people = normalised(said), len(answers)
    agreeing = [normalised(answer) for answer in answers].count(one)
    if people == 1:
        return float(agreeing)
    enough = min(_ENOUGH, people - 1)
    without_one_who_agrees = min(1.0, max(agreeing - 1, 0) / enough)
    without_another = min(1.0, agreeing / enough)
    return (agreeing * without_one_who_agrees + (people - agreeing) * without_another) / people


def _require_pairs(said: Sequence[str], answers: Sequence[Sequence[str]]) -> None:
    if len(said) != len(answers):
        raise TrainError(f"{len(said)} answers were said to {len(answers)} questions; say one to each question")
    if not said:
        raise TrainError("there are no answers to score; evaluate at least one question")
    for place, group in enumerate(answers):
        if not group or isinstance(group, str):
            raise TrainError(f"question {place} has no list of answers; give it one or more, or leave it out")
