"""Repeated runs of words: what is read and passed over, and texts that would take a square of their length."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.text import repeats
from filters.text.gopher_repetition import GopherRepetition
from filters.text.repeats import chosen_apart

EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=300)


def plainly(places, groups, n):
    chosen, read, reached = [], set(), 0
    for place, group in zip(places, groups, strict=True):
        chosen.append(place >= reached and group in read)
        if place >= reached:
            read.add(group)
        if chosen[-1]:
            reached = place + n
    return chosen


@EXAMPLES
@given(
    steps=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5)), max_size=80),
    n=st.integers(2, 6),
    rounds=st.sampled_from((64, 1)),
)
def test_reading_on_behind_what_was_read_before(steps, n, rounds):
    places = np.cumsum([step for step, _ in steps], dtype=np.int64)
    _, groups = np.unique([group for _, group in steps], return_inverse=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "ROUNDS", rounds)
        assert chosen_apart(places, groups.astype(np.int64), n).tolist() == plainly(places.tolist(), groups.tolist(), n)


def measured(texts):
    return [column.to_pylist() for column in GopherRepetition().open()(pa.table({"text": texts}))]


@pytest.mark.parametrize("text", ["a ", "a b ", "one two three. ", "=", "line\n", "x\n\n"])
def test_a_long_text_that_repeats_itself_takes_no_square_of_its_length(text):
    """Half a million characters in far less than the minutes that a square of them would take."""
    started = time.process_time()
    length, *shares = measured([text * (500_000 // len(text))])
    assert time.process_time() - started < 20
    assert length[0] > 499_000
    assert text == "=" or max(share[0] for share in shares) > 0.5


def test_the_same_document_many_times():
    texts = pa.array(["the same words again and the same words again"] * 20_000)
    assert all(len(set(column)) == 1 for column in measured(texts))
