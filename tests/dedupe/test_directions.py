"""Whole numbers stand for embeddings: near enough, row by row, and their dot products are exact."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.directions import LENGTH, WIDEST, digests, lists, matrix, rounded, squares
from curate.errors import InputError


def drawn(rows, width, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width))


@pytest.mark.parametrize("width", [1, 2, 384, 1280])
def test_cosines_move_by_little(width):
    vectors = drawn(300, width)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    whole = rounded(vectors)[0].astype(float)
    cosines = whole @ whole.T / np.outer(np.linalg.norm(whole, axis=1), np.linalg.norm(whole, axis=1))
    assert np.abs(cosines - unit @ unit.T).max() < 6e-4
    assert np.sqrt(np.mean(np.square(cosines - unit @ unit.T))) < 1.5e-4


def test_rows_are_rounded_alone_and_whatever_their_length():
    vectors = drawn(20_000, 5)
    whole, pointing = rounded(vectors)
    assert pointing.all()
    order = np.random.default_rng(1).permutation(len(vectors))
    assert np.array_equal(rounded(vectors[order])[0], whole[order])
    assert all(np.array_equal(rounded(vectors[row : row + 1])[0][0], whole[row]) for row in range(100))
    assert np.array_equal(rounded(vectors * 2.0**100)[0], whole)


def test_nothing_points_where_there_is_no_direction():
    vectors = np.array([[0, 0], [np.nan, 1], [np.inf, 1], [0, -3], [6e-8, 0]], np.float16)
    whole, pointing = rounded(vectors)
    assert pointing.tolist() == [False, False, False, True, True]
    assert whole.tolist() == [[0, 0], [0, 0], [0, 0], [0, -LENGTH], [LENGTH, 0]]
    assert rounded(np.zeros((0, 3)))[0].shape == (0, 3)


def test_partial_sums_of_the_widest_vectors_are_exact_in_float32():
    """Every partial sum is at most the product of the lengths, which must stay within 2**24."""
    flat = np.full((1, WIDEST), 22.5 / LENGTH)  # rounding up by half a unit each is the worst
    for vectors in (flat, drawn(3, WIDEST)):
        assert squares(rounded(vectors)[0]).max() <= 2**24
    assert (LENGTH + 0.5 * np.sqrt(WIDEST)) ** 2 <= 2**24


def test_lists_and_matrix_are_inverse():
    whole = rounded(drawn(7, 4))[0]
    assert np.array_equal(matrix(lists(whole), "c"), whole)
    assert np.array_equal(matrix(lists(whole).slice(2, 3), "c"), whole[2:5])
    assert matrix(lists(whole[:0]), "c").shape == (0, 0)


def test_vectors_that_cannot_be_compared_are_an_error_that_says_why():
    with pytest.raises(InputError, match=r"text_embedding: vectors of 2 and of 3 numbers.*one model"):
        matrix(pa.array([[1, 2], [1, 2, 3]], pa.list_(pa.int16())), "text_embedding")
    for width in (0, WIDEST + 1):
        with pytest.raises(InputError, match=f"vectors of {width} numbers"):
            matrix(pa.array([[1] * width], pa.list_(pa.int16())), "text_embedding")


def test_digest_is_blake2b_of_each_row():
    whole = rounded(drawn(3, 9))[0]
    node, check = digests(whole)
    for row in range(3):
        expected = hashlib.blake2b(whole[row].astype("<i2").tobytes(), digest_size=16).digest()
        assert node[row].tobytes() + check[row].tobytes() == expected
    assert [len(half) for half in digests(whole[:0])] == [0, 0]


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.lists(st.integers(-4000, 4000), min_size=3, max_size=3), max_size=20))
def test_squares_are_exact(rows):
    assert squares(np.array(rows, np.int16).reshape(-1, 3)).tolist() == [sum(x * x for x in row) for row in rows]
