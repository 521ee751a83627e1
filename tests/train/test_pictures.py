import io
import random

import numpy as np
import pytest
import torch
from PIL import Image

from curate.train.pictures import Transform
from curate.train.template import Unusable

MEAN_COLOUR = (122, 116, 104)


def decode(data, side, max_pixels, fit="pad", seed=0):
    """Return the pixels, or the reason why there are none."""
    try:
        return Transform(side, fit, max_pixels=max_pixels).decode(data, random.Random(seed))
    except Unusable as reason:
        return str(reason)


def encoded(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_formats_of_shards_are_read(kind, mode):
    pixels = decode(encoded(Image.new(mode, (40, 40), "white"), kind), 16, 10_000)
    assert pixels.shape == (16, 16, 3)
    assert pixels.min() > 250


def test_the_shorter_side_is_padded_with_the_mean_colour():
    pixels = decode(encoded(Image.new("RGB", (80, 40), "red")), 16, 10_000)
    assert (pixels[:4] == MEAN_COLOUR).all()
    assert (pixels[12:] == MEAN_COLOUR).all()
    assert (pixels[4:12] == (255, 0, 0)).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_becomes_white(mode):
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0)).convert(mode if mode != "PA" else "RGBA")
    clear = clear.quantize(4) if mode == "PA" else clear
    assert (decode(encoded(clear), 8, 10_000) == 255).all()


def test_colours_under_transparent_pixels_do_not_bleed():
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 32, 64))
    pixels = decode(encoded(picture), 8, 10_000).astype(int)
    assert (pixels[..., 0] <= pixels[..., 2]).all()  # no red anywhere: white or blue or between


def test_a_thin_picture_keeps_one_pixel():
    assert decode(encoded(Image.new("RGB", (900, 1), "red")), 8, 10_000).shape == (8, 8, 3)


def test_too_many_pixels_are_not_decoded():
    data = encoded(Image.new("L", (200, 200)))
    assert decode(data, 8, 39_999) == "picture_too_large"
    assert not isinstance(decode(data, 8, 40_000), str)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_picture_is_a_reason(data):
    assert decode(data, 8, 10_000) == "picture_unreadable"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_any_flipped_or_missing_bytes_give_pixels_or_a_reason(kind):
    noise = np.random.default_rng(0).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), kind)
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        flipped = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        for data in (flipped, whole[:at]):
            result = decode(data, 8, 10_000)
            assert result == "picture_unreadable" if isinstance(result, str) else result.shape == (8, 8, 3)


def test_the_mean_colour_is_what_blank_is():
    mean = np.full((2, 8, 8, 3), MEAN_COLOUR, np.uint8)
    assert torch.allclose(Transform(8).normalised(mean), Transform(8).blank(2), atol=0.015)


def test_normalised_has_clips_mean_and_deviation():
    white = Transform(2).normalised(np.full((1, 2, 2, 3), 255, np.uint8))
    assert torch.allclose(white[0, :, 0, 0], torch.tensor([1.9303, 2.0749, 2.1459]), atol=1e-3)


QUARTERS = Image.new("RGB", (80, 40), "red")
QUARTERS.paste("blue", (0, 0, 20, 40))
QUARTERS.paste("lime", (60, 0, 80, 40))


def test_squeezing_keeps_all_and_cropping_the_middle():
    squeezed, cropped = (decode(encoded(QUARTERS), 16, 10_000, fit) for fit in ("squeeze", "crop"))
    assert tuple(squeezed[8, 0]) == (0, 0, 255)
    assert tuple(squeezed[8, 15]) == (0, 255, 0)
    assert (cropped[:, 1:15] == (255, 0, 0)).all()


def test_a_random_crop_is_a_function_of_its_draw():
    noise = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)))
    crops = [decode(noise, 16, 10_000, "random_crop", seed) for seed in (1, 1, 2, 3)]
    assert (crops[0] == crops[1]).all()
    assert not (crops[0] == crops[2]).all()
    assert not (crops[2] == crops[3]).all()
    assert not Transform(16, "random_crop").repeats


def test_a_random_crop_keeps_its_share_of_the_area():
    """Of a picture whose columns count from 0 to 250, a crop of nine tenths must show more than eight of ten."""
    ramp = np.repeat(np.arange(250, dtype=np.uint8)[None, :, None], 250, 0).repeat(3, 2)
    transform = Transform(64, "random_crop", least_crop=0.9)
    for seed in range(20):
        shown = transform.decode(encoded(Image.fromarray(ramp)), random.Random(seed)).astype(int)
        assert shown.max() - shown.min() > 200
