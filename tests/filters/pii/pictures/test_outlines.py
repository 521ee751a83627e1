"""A cover hides what is inside its outline and touches nothing else."""

import numpy as np
import pytest
from drawn import sheet
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from filters.pii.pictures.outlines import box_around, outline_of, paint
from filters.pii.pictures.reading import Line


def covered(image, outlines, how):
    pixels = np.array(image)
    for outline, height in outlines:
        paint(pixels, outline, how, height)
    return Image.fromarray(pixels)


LINE = Line("four", 0.9, ((10.0, 10.0), (50.0, 10.0), (50.0, 20.0), (10.0, 20.0)), (0.0, 0.25, 0.5, 0.75, 1.0))
COVERS = ("fill", "black", "blur")
MODES = {"L": np.uint8, "LA": np.uint8, "RGB": np.uint8, "RGBA": np.uint8, "I;16": np.uint16}


def test_an_outline_is_the_characters_and_a_margin():
    assert outline_of(LINE, 1, 3, 0) == ((20, 10), (40, 10), (40, 20), (20, 20))
    assert outline_of(LINE, 1, 3, 0.5) == ((15, 5), (45, 5), (45, 25), (15, 25))


def test_an_outline_follows_a_line_that_runs_another_way():
    down = Line("four", 0.9, ((20.0, 10.0), (20.0, 50.0), (10.0, 50.0), (10.0, 10.0)), LINE.edges)
    assert outline_of(down, 0, 1, 0) == ((20, 10), (20, 20), (10, 20), (10, 10))
    back = Line("four", 0.9, LINE.corners[2:] + LINE.corners[:2], LINE.edges)
    assert outline_of(back, 0, 1, 0) == ((50, 20), (40, 20), (40, 10), (50, 10))


corners = st.tuples(st.floats(-30, 90), st.floats(-30, 60))


@settings(derandomize=True, deadline=None, database=None, max_examples=60)
@given(
    outline=st.tuples(corners, corners, corners, corners), mode=st.sampled_from([*MODES]), cover=st.sampled_from(COVERS)
)
def test_nothing_outside_the_box_changes(outline, mode, cover):
    shape = (40, 60, len(Image.new(mode, (1, 1)).getbands())) if mode != "I;16" else (40, 60)
    before = np.random.default_rng(3).integers(0, np.iinfo(MODES[mode]).max, np.squeeze(np.zeros(shape)).shape)
    image = Image.fromarray(before.astype(MODES[mode]))
    assert image.mode == mode
    done = covered(image, [(outline, 8.0)], cover)
    assert (done.mode, done.size) == (image.mode, image.size)
    left, top, right, bottom = box_around(outline, image.size)
    outside = np.ones((40, 60), bool)
    outside[top:bottom, left:right] = False
    assert np.array_equal(np.asarray(done)[outside], np.asarray(image)[outside])


@pytest.mark.parametrize("cover", COVERS)
def test_writing_is_gone(cover):
    image = sheet("Jane Smith", paper="#e0d0b0", size=(300, 60))
    box = ((5.0, 5.0), (280.0, 5.0), (280.0, 55.0), (5.0, 55.0))
    inside = np.asarray(covered(image, [(box, 40.0)], cover))[6:54, 6:279].astype(int)
    assert np.ptp(np.diff(inside, axis=1)) <= {"fill": 0, "black": 0, "blur": 12}[cover]
    if cover == "fill":
        assert tuple(inside[0, 0]) == (0xE0, 0xD0, 0xB0)


def test_black_is_black_and_opaque():
    done = covered(Image.new("RGBA", (30, 30), (200, 10, 10, 40)), [(((5, 5), (9, 5), (9, 9), (5, 9)), 4.0)], "black")
    assert done.getpixel((7, 7)) == (0, 0, 0, 255)
    assert done.getpixel((20, 20)) == (200, 10, 10, 40)
