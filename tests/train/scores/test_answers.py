"""Answers: the published rules case by case, and accuracy against leaving out every person in turn."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import TrainError
from curate.train.scores.answers import accuracy_of_each, exact_match, normalised, vqa_accuracy


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("A Dog.", "dog"),
        ("the red, blue and  white", "red blue and white"),
        ("Two", "2"),
        ("none", "0"),
        ("ten people", "10 people"),
        ("eleven", "eleven"),
        ("dont", "don't"),
        ("Don't", "don't"),
        ("couldnt've", "couldn't've"),
        ("couldn'tve", "couldn't've"),
        ("its", "its"),
        ("1,000", "1000"),
        ("1.5", "1.5"),
        ("5 p.m.", "5 pm"),
        ("yes/no", "yes no"),
        ("yes / no", "yes no"),
        ("black-and-white", "black and white"),
        ("left -right-hand", "left righthand"),
        ("what?\n", "what"),
        ("an", ""),
        ("\t12:30 ", "12:30"),
    ],
)
def test_answers_are_normalised_by_the_rules_of_the_evaluation(answer, normal):
    assert normalised(answer) == normal


@pytest.mark.parametrize(("agreeing", "accuracy"), [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)])
def test_ten_people_give_the_known_steps(agreeing, accuracy):
    answers = ["cat"] * agreeing + ["dog"] * (10 - agreeing)
    assert vqa_accuracy(["a cat"], [answers]) == pytest.approx(accuracy)


@given(st.lists(st.sampled_from(["cat", "dog", "cow"]), min_size=4, max_size=10))
def test_accuracy_is_the_mean_over_all_but_one(answers):
    subsets = list(itertools.combinations(answers, len(answers) - 1))
    brute = sum(min(subset.count("cat") / 3, 1) for subset in subsets) / len(subsets)
    assert vqa_accuracy(["cat"], [answers]) == pytest.approx(brute)


@pytest.mark.parametrize(
    ("answers", "accuracy"),
    [(["cat"], 1), (["dog"], 0), (["cat"] * 2, 1), (["cat", "dog"], 0.5), (["cat", "dog", "cat"], 2 / 3)],
)
def test_fewer_people_can_still_give_the_whole_point(answers, accuracy):
    assert vqa_accuracy(["cat"], [answers]) == pytest.approx(accuracy)


def test_the_mean_is_over_questions():
    answers = [["cat"] * 10, ["dog"] * 9 + ["cat"]]
    assert accuracy_of_each(["cat", "cat"], answers) == pytest.approx([1, 0.3])
    assert vqa_accuracy(["cat", "cat"], answers) == pytest.approx(0.65)


def test_exact_match_asks_for_any_accepted_answer():
    assert exact_match(["The cat", "dog", "2"], [["dog", "cat"], ["cat"], ["two"]]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("score", [vqa_accuracy, accuracy_of_each, exact_match])
@pytest.mark.parametrize(
    ("said", "answers", "what"),
    [
        ([], [], "at least one question"),
        (["a"], [], "1 answers were said to 0 questions"),
        (["a"], [[]], "question 0"),
        (["a"], ["dog"], "question 0"),
    ],
)
def test_what_cannot_be_scored_is_refused(score, said, answers, what):
    with pytest.raises(TrainError, match=what):
        score(said, answers)
