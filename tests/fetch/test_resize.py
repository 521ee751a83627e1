"""Resizing by img2dataset's `Resizer`, with our bounds around it."""

import io

import pyarrow as pa
import pytest
from PIL import Image

from curate.fetch.picture import check_picture
from curate.fetch.resize import Resize
from curate.fetch.stage import Fetch
from tests.fetch.pictures import SECRET, dirty_jpeg, dirty_png, drawing, encoded
from tests.fetch.web import Web, serving

pytest.importorskip("img2dataset")
pytestmark = [
    pytest.mark.slow,  # img2dataset takes seconds to import
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # it speaks to albumentations as older ones understood
    pytest.mark.filterwarnings("ignore::UserWarning:albumentations"),
]


def resized(data, max_pixels=1_000_000, **settings):
    picture = check_picture(data, max_pixels)
    assert not isinstance(picture, str)
    return Resize(**settings).open(max_pixels)(picture)


@pytest.mark.parametrize(
    ("mode", "size"),
    [("keep_ratio", (24, 16)), ("center_crop", (16, 16)), ("border", (16, 16)), ("keep_ratio_largest", (16, 11))],
)
def test_modes(mode, size):
    picture = resized(dirty_jpeg(), size=16, mode=mode)
    assert (picture.width, picture.height) == size
    assert (picture.original_width, picture.original_height) == (48, 32)
    with Image.open(io.BytesIO(picture.image)) as image:
        assert image.size == size
        assert image.format == "JPEG"
    assert SECRET not in picture.image


@pytest.mark.parametrize(("kind", "quality", "found"), [("png", 6, "PNG"), ("webp", 80, "WEBP"), ("jpg", 80, "JPEG")])
def test_formats(kind, quality, found):
    picture = resized(dirty_png("RGBA"), size=16, format=kind, quality=quality)
    assert picture.image_format == kind
    with Image.open(io.BytesIO(picture.image)) as image:
        assert image.format == found


def test_small_pictures_may_stay():
    assert resized(dirty_jpeg(), size=64, only_if_bigger=True).width == 48
    assert resized(dirty_jpeg(), size=64).height == 64


def test_a_strip_does_not_grow_without_bounds():
    strip = encoded(drawing(size=(5000, 1)), "PNG")
    assert resized(strip, size=1000) == "too_many_pixels"
    assert resized(strip, size=1000, mode="border").height == 1000
    assert resized(strip, size=1000, only_if_bigger=True).width == 5000


def test_through_the_stage_with_equal_bytes_each_time():
    with serving(Web({"/a.png": dirty_png()})) as web:
        opened = Fetch(allow_hosts=(web.host,), resize={"size": 16}).open()
        table = pa.table({"url": [web.url("/a.png"), web.url("/none")]})
        first, second = opened(table), opened(table)
    assert first.columns == second.columns
    row = first.columns.to_pylist()[0]
    assert (row["width"], row["height"], row["original_width"], row["image_format"]) == (24, 16, 48, "jpg")
    assert first.failed.to_pylist() == [None, "http_404"]
