"""What is covered is gone; what is not covered is what it was, to the bit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.pii.pictures.covering import CELLS, Box, cover

COVERS = ("blur", "pixelate", "fill")


def noise(height, width, *channels, kind=np.uint8):
    return np.random.default_rng(7).integers(0, np.iinfo(kind).max, (height, width, *channels)).astype(kind)


@pytest.mark.parametrize("how", COVERS)
@pytest.mark.parametrize("shape", ["ellipse", "box"])
@pytest.mark.parametrize("pixels", [noise(60, 80, 3), noise(60, 80), noise(60, 80, 4), noise(60, 80, kind=np.uint16)])
def test_pixels_outside_the_box_stay(how, shape, pixels):
    before = pixels.copy()
    cover(pixels, Box(20, 10, 60, 50), how, shape, 0.2)
    outside = np.ones(pixels.shape[:2], bool)
    outside[10:50, 20:60] = False
    assert np.array_equal(pixels[outside], before[outside])
    assert not np.array_equal(pixels, before)


@pytest.mark.parametrize("size", [12, 40, 400, 1200])
@pytest.mark.parametrize("how", COVERS)
def test_the_middle_holds_few_values_whatever_the_size(how, size):
    """Two faces that differ only in detail finer than a cell are covered alike: nothing is there to undo."""
    one = noise(size, size, 3).astype(np.int64)
    edges = np.linspace(0, size, CELLS + 1).astype(int)
    other = one.copy()
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            other[top:bottom, left:right] = one[top:bottom, left:right][::-1, ::-1]
    one, other = one.astype(np.uint8), other.astype(np.uint8)
    for pixels in (one, other):
        cover(pixels, Box(0, 0, size, size), how, "box", 0.0)
    assert np.array_equal(one, other)


def test_fill_tells_nothing():
    for pixels in (noise(30, 30, 3), np.zeros((30, 30, 3), np.uint8)):
        cover(pixels, Box(0, 0, 30, 30), "fill", "box", 0.0)
        assert set(np.unique(pixels)) == {128}


def test_the_edge_fades_inside_the_box():
    pixels = np.zeros((100, 100), np.uint8)
    cover(pixels, Box(10, 10, 90, 90), "fill", "box", 0.5)
    across = pixels[50].astype(int)
    assert across[9] == 0
    assert (np.diff(across[10:50]) >= 0).all()
    assert 0 <= across[10] < 20
    assert across[50] == 128


@pytest.mark.parametrize("how", COVERS)
@settings(derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_any_box_in_any_picture(how, data):
    width, height = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    left, top = data.draw(st.integers(0, width)), data.draw(st.integers(0, height))
    box = Box(left, top, data.draw(st.integers(left, width)), data.draw(st.integers(top, height)))
    pixels = noise(height, width, 3)
    before = pixels.copy()
    cover(pixels, box, how, "ellipse", 0.15)
    inside = np.zeros((height, width), bool)
    inside[box.top : box.bottom, box.left : box.right] = True
    assert np.array_equal(pixels[~inside], before[~inside])


def test_a_box_grows_within_the_picture():
    assert Box(10, 10, 20, 30).expanded(0.5, 100, 100) == Box(5, 0, 25, 40)
    assert Box(0, 0, 20, 20).expanded(2, 30, 25) == Box(0, 0, 30, 25)
