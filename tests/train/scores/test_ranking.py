"""Rankings against sorting by hand, with ties against us."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import TrainError
from curate.train.scores.ranking import (
    mean_reciprocal_rank,
    ndcg,
    ranks,
    recall_at,
    retrieval,
    top_k_accuracy,
)

GALLERY = 5
row = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, -math.inf]), min_size=GALLERY, max_size=GALLERY)
items = st.sets(st.integers(0, GALLERY - 1), min_size=1)


def brute_place(scores, relevant):
    """Sort, irrelevant first where scores tie, and look for the first relevant item."""
    order = sorted(range(len(scores)), key=lambda item: (-scores[item], item in relevant))
    return 1 + min(order.index(item) for item in relevant)


@given(st.lists(st.tuples(row, items), min_size=1, max_size=4))
def test_places_are_those_of_a_sorted_list(queries):
    scores, relevant = [s for s, _ in queries], [r for _, r in queries]
    assert ranks(scores, relevant).tolist() == [brute_place(*query) for query in queries]


def test_a_constant_scorer_finds_nothing():
    places = ranks(np.zeros((3, 4)), [{0}, {1}, {2}])
    assert places.tolist() == [4, 4, 4]
    assert recall_at(places, 1) == 0
    assert top_k_accuracy(np.zeros((3, 4)), [0, 1, 2], (1, 3, 4)) == {"top-1": 0, "top-3": 0, "top-4": 1}


def test_recall_and_reciprocal_rank():
    places = np.array([1, 2, 4, 10])
    assert [recall_at(places, k) for k in (1, 5, 10)] == [0.25, 0.75, 1]
    assert mean_reciprocal_rank(places) == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 10) / 4)


def test_retrieval_looks_both_ways_with_several_captions_a_picture():
    scores = [  # captions 0 and 1 are of picture 0, 2 and 3 of picture 1
        [0.9, 0.1, 0.3, 0.2],
        [0.2, 0.8, 0.7, 0.4],
    ]
    assert retrieval(scores, [{0, 1}, {2, 3}], ks=(1, 2)) == {
        "image_to_text_R@1": 0.5,  # picture 1 finds caption 1 of picture 0 first
        "image_to_text_R@2": 1,
        "image_to_text_MRR": 0.75,
        "text_to_image_R@1": 0.75,
        "text_to_image_R@2": 1,
        "text_to_image_MRR": 0.875,
    }


@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 99))
def test_retrieval_is_perfect_when_every_caption_scores_its_own_picture_highest(pictures, each, seed):
    captions = [set(range(place * each, (place + 1) * each)) for place in range(pictures)]
    scores = np.random.default_rng(seed).random((pictures, pictures * each))
    for place, own in enumerate(captions):
        scores[place, list(own)] += 1
    assert set(retrieval(scores, captions).values()) == {1}


def brute_ndcg(scores, relevance):
    order = sorted(range(len(scores)), key=lambda item: (-scores[item], relevance[item]))
    k = sum(grade > 0 for grade in relevance)
    gain = sum(relevance[item] / math.log2(place + 2) for place, item in enumerate(order[:k]))
    ideal = sum(grade / math.log2(place + 2) for place, grade in enumerate(sorted(relevance, reverse=True)[:k]))
    return gain / ideal


grades = st.lists(st.sampled_from([0, 0.2, 0.6, 1]), min_size=GALLERY, max_size=GALLERY).filter(any)


@given(st.lists(st.tuples(row, grades), min_size=1, max_size=4))
def test_ndcg_is_that_of_a_sorted_list(queries):
    brute = [brute_ndcg(*query) for query in queries]
    assert ndcg([s for s, _ in queries], [g for _, g in queries]) == pytest.approx(np.mean(brute))


def test_ndcg_of_visdial_stops_at_the_number_of_relevant_items():
    """Two relevant of four: what stands third earns nothing, though plain NDCG@4 would pay for it."""
    assert ndcg([[4, 3, 2, 1]], [[1, 0, 1, 0]]) == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_ndcg_and_top_k_are_what_scikit_learn_printed():
    """scikit-learn 1.9.1: ndcg_score(k=3) and top_k_accuracy_score of the same tables."""
    scores = [[0.1, 0.9, 0.4, 0.35, 0.8], [0.7, 0.2, 0.6, 0.1, 0.5]]
    assert ndcg(scores, [[0.5, 0, 1, 0, 0.2], [0, 1, 0, 0.4, 0.4]]) == pytest.approx(0.290047338406459)
    assert top_k_accuracy([*scores, scores[0]], [1, 4, 2], (1, 3)) == pytest.approx({"top-1": 1 / 3, "top-3": 1})


@pytest.mark.parametrize(
    ("scores", "relevant", "what"),
    [
        ([[1, 2]], [], "for 0 sets"),
        ([1, 2], [{0}, {1}], "give a row for each"),
        ([[1, 2]], [set()], "query 0"),
        ([[1, 2]], [{2}], "query 0"),
        ([[1, 2]], [{-1}], "query 0"),
        ([[1, math.nan]], [{0}], "row 0"),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores, relevant, what):
    with pytest.raises(TrainError, match=what):
        ranks(scores, relevant)


def test_a_caption_of_no_picture_is_refused():
    with pytest.raises(TrainError, match="caption 1"):
        retrieval([[1, 2]], [{0}])


@pytest.mark.parametrize("relevance", [[[0, 0]], [[1, -1]], [[1]], [[1, math.nan]]])
def test_relevance_that_cannot_be_counted_is_refused(relevance):
    with pytest.raises(TrainError, match="relevance"):
        ndcg([[1, 2]], relevance)
