"""Hashes of words and of runs of words against the same sums in whole numbers, word by word."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.word_hashes import BATCH_BYTES, MULTIPLIERS, runs, slices, words

MASK = 2**64 - 1
EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=150)
WORDS = st.lists(st.text("abcdefghij", min_size=1, max_size=80), max_size=12)


def mixed(number):
    for odd in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
        number = number * odd & MASK
        number ^= number >> 32
    return number


def plainly(word):
    """The hash of one word, eight bytes after eight bytes."""
    raw = word.encode()
    if len(raw) > 64:
        return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")
    first, *others = (int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8))
    hashed = mixed(first)
    for other in others:
        hashed = mixed(hashed * 0xAEF17502108EF2D9 + other & MASK)
    return hashed


@EXAMPLES
@given(st.lists(st.none() | WORDS, max_size=4))
def test_words_are_hashed_one_by_one(rows):
    found = words(pa.array([None if row is None else " ".join(row) for row in rows], pa.string()))
    expected = [[plainly(word) for word in row or []] for row in rows]
    assert found.hashes.tolist() == [hashed for row in expected for hashed in row]
    assert found.rows.tolist() == np.cumsum([0, *map(len, expected)]).tolist()


@EXAMPLES
@given(st.lists(st.integers(0, MASK), max_size=40), st.integers(1, 20), st.sampled_from(MULTIPLIERS))
def test_runs_are_polynomials_over_their_words(hashes, length, multiplier):
    expected = []
    for start in range(len(hashes) - length + 1):
        run = 0
        for hashed in hashes[start : start + length]:
            run = run * multiplier + hashed & MASK
        expected.append(run)
    assert runs(np.array(hashes, np.uint64), length, multiplier).tolist() == expected


def test_a_word_hashes_alike_whatever_stands_around_it():
    alone, ascii_row, mixed_row = (words(pa.array([text])) for text in ("heron", "a Heron.", "“Héron” 中"))
    assert alone.hashes[0] == ascii_row.hashes[1] == mixed_row.hashes[0]


@pytest.mark.parametrize("text", ["word " * 10_000_000, "x" * 50_000_000])
def test_a_document_of_fifty_megabytes_is_hashed(text):
    found = words(pa.array(["before", text, "after"]))
    assert found.rows.tolist() == [0, 1, 1 + len(text.split()), 2 + len(text.split())]
    assert len(np.unique(found.hashes)) == 3


def test_a_long_text_is_hashed_in_parts_as_it_is_whole():
    text = "Été, 12.5 of\n中 the sea " * 170_000
    assert len(text.encode()) > BATCH_BYTES
    parts = words(pa.array([text]))
    whole = words(pa.array([text, None]))
    assert np.array_equal(parts.hashes, whole.hashes)
    assert parts.rows.tolist() == whole.rows.tolist()[:2]


@EXAMPLES
@given(st.lists(st.none() | st.text("é", max_size=9), max_size=12), st.integers(1, 20))
def test_slices_hold_every_row_once_and_few_bytes(texts, most):
    column = pa.array(texts, pa.string())
    found = list(slices(column, most))
    assert [row for part in found for row in range(part.start, part.stop)] == list(range(len(texts)))
    sizes = [sum(len((text or "").encode()) for text in texts[part]) for part in found]
    assert all(size <= most or part.stop - part.start == 1 for size, part in zip(sizes, found, strict=True))
