import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from curate.decode import MAX_PIXELS, decode


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_that_claims(width, height):
    """A PNG of a few bytes whose header claims a size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "JPEG"])
def test_picture_comes_back_in_rgb(kind):
    image = decode(encoded(Image.new("RGB", (9, 5), (200, 30, 30)), kind))
    assert (image.mode, image.size) == ("RGB", (9, 5))
    assert np.abs(np.asarray(image, int) - (200, 30, 30)).max() < 12


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1"])
def test_any_mode_becomes_rgb(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(encoded(Image.new(mode, (4, 4)), kind)).mode == "RGB"


def test_transparent_pixels_are_white():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    assert np.asarray(decode(encoded(image, "PNG"))).tolist() == [[[255, 255, 255], [10, 20, 30]]]


def test_broken_bytes_are_none():
    whole = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)), "PNG")
    assert decode(whole) is not None
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for data in (b"", b"text", whole[:40], whole[: len(whole) // 2], bytes(flipped)):
        assert decode(data) is None


@pytest.mark.parametrize("side", [8_001, 10_000, 20_000, 2**31 - 1])
def test_bombs_are_refused_before_they_are_decoded(side):
    assert side * side > MAX_PIXELS
    assert decode(png_that_claims(side, side)) is None


def test_formats_that_no_sample_holds_stay_closed():
    assert decode(encoded(Image.new("RGB", (4, 4)), "TIFF")) is None
