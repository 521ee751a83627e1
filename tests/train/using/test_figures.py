"""Figures are the means of `scores`, each inside its interval."""

import numpy as np
import pytest

from curate.train.scores.answers import exact_match, vqa_accuracy
from curate.train.scores.captions import score_captions
from curate.train.scores.ranking import retrieval, top_k_accuracy
from curate.train.using import figures

SAID = ["a red circle", "two dogs", "yes", "a cat on a mat"]
WRITTEN = [["a red circle on the left", "red circle"], ["Two dogs!"], ["no", "yes", "yes"], ["a bird"]]


def test_captions_and_answers_have_the_means_of_the_scores():
    captions, answers = figures.of_captions(SAID, WRITTEN), figures.of_answers(SAID, WRITTEN)
    assert {name: f.mean for name, f in captions.items()} == pytest.approx(score_captions(SAID, WRITTEN))
    assert answers["exact_match"].mean == exact_match(SAID, WRITTEN) == 0.75  # articles do not count
    assert answers["VQA_accuracy"].mean == pytest.approx(vqa_accuracy(SAID, WRITTEN))
    for name, figure in answers.items():
        assert name.startswith("BLEU") == (figure.low is None)
        assert figure.low is None or figure.low <= figure.mean <= figure.high


def test_rankings_have_the_means_of_the_scores():
    scores = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)
    texts_of = [{0, 1}, {2}, {3, 4}, {5}, {6, 7}, {8, 0}]
    expected = retrieval(scores, texts_of)
    for way, pictures in (("image_to_text", False), ("text_to_image", True)):
        found = figures.of_ranking(scores, texts_of, pictures=pictures)
        assert {f"{way}_{n}": f.mean for n, f in found.items()} == {
            n: pytest.approx(v) for n, v in expected.items() if n.startswith(way)
        }
    assert figures.transposed(texts_of, 9)[0] == {0, 5}


def test_classes_have_the_means_of_the_scores():
    scores = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    labels = [n % 8 for n in range(20)]
    found = figures.of_classes(scores, labels)
    assert {n: f.mean for n, f in found.items()} == pytest.approx(top_k_accuracy(scores, labels))
    assert found["top-1"].mean < found["top-5"].mean
