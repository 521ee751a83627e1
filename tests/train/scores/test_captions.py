"""Scores of captions: figures that pycocoevalcap 1.2 printed, worked examples and what must always hold."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import TrainError
from curate.train.scores.captions import cider_of_each, score_captions

SAID = [
    "A man riding a wave on top of a surfboard.",
    "A cat is sitting on a wooden table.",
    "Two dogs, playing with a frisbee in the grass!",
    "A plate of food that doesn't look good",
]
REFERENCES = [
    [
        "A man is surfing on a big wave.",
        "A surfer rides a wave on top of a surfboard.",
        "Man on a surfboard riding a wave in the ocean",
    ],
    ["A black cat sits on top of a table.", "There's a cat sitting on the wooden table."],
    [
        "Two dogs play with a frisbee.",
        "A brown dog and a white dog are playing in the grass, with a frisbee.",
        "Dogs running on grass",
    ],
    ["A plate (of pasta) with sauce.", "The food on this plate doesn't look very good."],
]
PRINTED = {  # by pycocoevalcap 1.2 with its Java tokeniser
    "CIDEr": 2.2315431950694475,
    "BLEU-1": 0.94444444441821,
    "BLEU-2": 0.7488416981283751,
    "BLEU-3": 0.5648782317241026,
    "BLEU-4": 0.4163209986441458,
    "ROUGE-L": 0.6778626952836331,
}


def test_scores_are_those_the_coco_evaluation_printed():
    assert score_captions(SAID, REFERENCES) == pytest.approx(PRINTED, abs=1e-9)
    assert cider_of_each(SAID, REFERENCES) == pytest.approx([3.39779957, 1.92663942, 1.78572319, 1.8160106], abs=1e-8)


def test_bleu_of_papineni_clips_what_is_said_too_often():
    """Example 2 of Papineni et al. 2002: `the` seven times has a modified unigram precision of 2/7."""
    said = ["the the the the the the the"]
    references = [["The cat is on the mat.", "There is a cat on the mat."]]
    assert score_captions(said, references)["BLEU-1"] == pytest.approx(2 / 7)


def test_bleu_punishes_a_short_candidate_by_the_closest_reference():
    scores = score_captions(["the cat sat"], [["the cat sat down", "the cat sat down on the old mat"]])
    assert scores["BLEU-3"] == pytest.approx(math.exp(1 - 4 / 3))
    assert scores["BLEU-4"] == 0


def test_of_two_references_as_close_the_shorter_counts():
    assert score_captions(["a b c"], [["a b c d", "a b"]])["BLEU-1"] == pytest.approx(1)


def test_rouge_of_lin_counts_words_in_order():
    """Lin 2004, section 3.1: `police kill the gunman` has three words of the reference in order, the other two."""
    reference = ["police killed the gunman"]
    in_order, reversed_ = (
        score_captions([said], [reference])["ROUGE-L"] for said in ("police kill the gunman", "the gunman kill police")
    )
    assert (in_order, reversed_) == pytest.approx((0.75, 0.5))


def test_rouge_takes_precision_and_recall_from_different_references():
    scores = score_captions(["a b c d"], [["a b", "a b c d e f g h"]])
    assert scores["ROUGE-L"] == pytest.approx(1)


def brute_cider(said, references):
    """CIDEr-D straight from the equations, for sentences of plain words."""

    def grams(sentence, n):
        return list(zip(*(sentence.split()[i:] for i in range(n)), strict=False))

    scores = []
    for candidate, group in zip(said, references, strict=True):
        total = 0.0
        for n, reference in itertools.product(range(1, 5), group):
            space = sorted({*grams(candidate, n), *grams(reference, n)})
            idf = [
                math.log(len(said) / max(1, sum(any(g in grams(r, n) for r in other) for other in references)))
                for g in space
            ]
            ours = [grams(candidate, n).count(g) * i for g, i in zip(space, idf, strict=True)]
            theirs = [grams(reference, n).count(g) * i for g, i in zip(space, idf, strict=True)]
            norms = math.dist(ours, [0] * len(space)) * math.dist(theirs, [0] * len(space))
            gap = len(candidate.split()) - len(reference.split())
            if norms:
                dot = sum(min(a, b) * b for a, b in zip(ours, theirs, strict=True))
                total += math.exp(-(gap**2) / 72) * dot / norms
        scores.append(10 * total / 4 / len(group))
    return scores


words = st.sampled_from(["red", "blue", "dog", "cat", "ball", "runs"])
sentence = st.lists(words, min_size=1, max_size=7).map(" ".join)
pictures = st.lists(st.tuples(sentence, st.lists(sentence, min_size=1, max_size=3)), min_size=1, max_size=4)


@given(pictures)
def test_cider_is_what_its_equations_say(made):
    said, references = [s for s, _ in made], [r for _, r in made]
    assert cider_of_each(said, references) == pytest.approx(brute_cider(said, references), abs=1e-9)


@given(pictures)
def test_scores_keep_their_bounds_and_the_mean_is_of_the_pictures(made):
    said, references = [s for s, _ in made], [r for _, r in made]
    scores = score_captions(said, references)
    assert 0 <= scores["CIDEr"] <= 10 + 1e-9
    assert all(0 <= score <= 1 + 1e-9 for name, score in scores.items() if name != "CIDEr")
    assert scores["CIDEr"] == pytest.approx(sum(cider_of_each(said, references)) / len(said))


def test_saying_the_only_reference_is_perfect():
    said = ["a red dog runs past a tree", "two cats sleep on the sofa"]
    scores = score_captions(said, [[s] for s in said])
    assert scores.pop("CIDEr") == pytest.approx(10)
    assert scores == pytest.approx(dict.fromkeys(scores, 1))


def test_saying_nothing_scores_nothing():
    assert set(score_captions(["", "..."], [["a dog"], ["a cat"]]).values()) == {0}


@pytest.mark.parametrize(
    ("said", "references", "what"),
    [
        ([], [], "at least one picture"),
        (["a"], [], "1 captions were said of 0 pictures"),
        (["a"], [[]], "picture 0"),
        (["a"], ["a dog"], "picture 0"),
    ],
)
def test_what_cannot_be_scored_is_refused(said, references, what):
    with pytest.raises(TrainError, match=what):
        score_captions(said, references)
