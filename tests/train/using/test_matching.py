"""Re-ranking against a brute force over every pair."""

import numpy as np
import pytest
import torch

from curate.train.using import matching
from curate.train.using.items import captions, of_samples, whole_run
from curate.train.using.sources import open_run


def test_the_best_of_each_row_are_chosen():
    scores = np.array([[3, 1, 2, 0], [1, 1, 1, 1]], np.float32)
    assert matching.best(scores, 2).tolist() == [[True, False, True, False], [True, True, False, False]]
    assert matching.best(scores, 9).all()


def test_the_chosen_come_first_and_the_rest_keep_their_order():
    scores = np.array([[0.9, 0.8, 0.1, 0.2]], np.float32)
    logits = np.array([[-7, 2, 0, 0]], np.float32)
    again = matching.reranked(scores, logits, matching.best(scores, 2))
    assert np.argsort(-again[0]).tolist() == [1, 0, 3, 2]
    assert np.allclose(again[0, :2], [-6.1, 2.8])


@pytest.mark.parametrize("blank", [False, True])
def test_only_chosen_pairs_are_looked_at_and_each_as_alone(opened, data, blank):
    model = opened("blip2-stage1-tiny")
    mixture = open_run(model, [data])
    items = of_samples(mixture, list(whole_run(mixture))[:6], captions).found
    texts = [model.examples.captioned(text) for text in ("a red circle", "blue", "a cross on the far right side")]
    chosen = np.random.default_rng(0).random((6, 3)) < 0.5
    chosen[2] = False
    logits = matching.logits_of(model, items, texts, chosen, blank=blank)
    assert not logits[~chosen].any()
    for picture, text in np.argwhere(chosen):
        seen = matching.look(model, [items[picture]], blank=blank)
        ids = torch.tensor([texts[text].text.ids])
        with torch.inference_mode():
            normed = model.model.norm(seen)
            both = model.model.matching_logits(normed, ids, torch.ones_like(ids))
        assert logits[picture, text] == pytest.approx(float(both[0, 1]), abs=1e-5)
