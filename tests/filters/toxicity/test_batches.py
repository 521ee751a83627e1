from itertools import pairwise

import numpy as np
import pytest
import tiny_detoxify
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from filters.toxicity.batches import TOKENS, buckets, padded, windows


@pytest.fixture
def tokenizer(tmp_path):
    tiny_detoxify.encoder(tmp_path)
    return AutoTokenizer.from_pretrained(tmp_path)


@given(st.lists(st.integers(1, 600), max_size=40))
def test_batches_hold_each_text_once_within_the_budget_and_in_order_of_length(lengths):
    batches = list(buckets(lengths))
    assert sorted(p for batch in batches for p in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[p] for p in batch) <= TOKENS for batch in batches)
    assert all(max(lengths[p] for p in a) <= min(lengths[p] for p in b) for a, b in pairwise(batches))


def test_first_window_is_what_truncation_leaves(tokenizer):
    texts = ["a red boat", "fool boat " * 60, "you " * 200]
    cut, of_cut = windows(tokenizer, texts, 32, whole=False)
    read, of_read = windows(tokenizer, texts, 32, whole=True)
    assert cut == tokenizer(texts, truncation=True, max_length=32)["input_ids"]
    assert of_cut.tolist() == [0, 1, 2]
    assert [read[of_read.tolist().index(text)] for text in range(3)] == cut
    assert np.bincount(of_read).tolist() == [1, 7, 13]


def test_no_mask_where_nothing_is_padding():
    tokens, real = padded([[1, 2], [3, 4]], 9)
    assert (tokens.tolist(), real) == ([[1, 2], [3, 4]], None)
    tokens, real = padded([[1, 2], [3]], 9)
    assert (tokens.tolist(), real.tolist()) == ([[1, 2], [3, 9]], [[1, 1], [1, 0]])
