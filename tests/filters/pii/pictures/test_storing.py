"""A touched picture is stored as it is shown, whatever its format and mode; hostile bytes are no picture."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from filters.pii.pictures.storing import decode, encode_lossless, seen

MODES = ("1", "L", "P", "RGB", "RGBA", "LA", "I;16", "CMYK")


def packed(mode, kind, size=(37, 23)):
    rng = np.random.default_rng(3)
    picture = Image.fromarray(rng.integers(0, 255, (size[1], size[0], 4), np.uint8), "RGBA")
    if mode == "I;16":
        picture = Image.fromarray(rng.integers(0, 65535, (size[1], size[0]), np.uint16))
    else:
        picture = picture.convert("RGB").convert(mode) if mode in {"P", "CMYK"} else picture.convert(mode)
    stream = io.BytesIO()
    picture.save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("mode", [m for m in MODES if m != "CMYK"])
def test_png_comes_back_pixel_by_pixel(mode):
    data = packed(mode, "PNG")
    stored, name = encode_lossless(decode(data), "png")
    assert name == "png"
    assert np.array_equal(seen(decode(stored)), seen(decode(data)))
    if mode == "I;16":
        assert np.array_equal(np.asarray(decode(stored)), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "WEBP")])
def test_lossy_formats_become_lossless_webp(mode, kind):
    data = packed(mode, kind)
    stored, name = encode_lossless(decode(data), {"JPEG": "jpg"}.get(kind, "webp"))
    assert name == "webp"
    assert np.array_equal(seen(decode(stored)), seen(decode(data)))


def test_what_is_clear_keeps_its_colour():
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[..., 0] = 200
    stored, _ = encode_lossless(Image.fromarray(clear), "webp")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(stored)).convert("RGBA")), clear)


def test_gif_becomes_png():
    assert encode_lossless(decode(packed("P", "GIF")), "gif")[1] == "png"


def test_a_picture_too_wide_for_webp_becomes_png():
    assert encode_lossless(Image.new("RGB", (16_400, 1)), "jpg")[1] == "png"


def test_a_colour_profile_stays():
    profile = b"profile" * 20
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "JPEG", icc_profile=profile)
    stored, _ = encode_lossless(decode(stream.getvalue()), "jpg")
    assert Image.open(io.BytesIO(stored)).info["icc_profile"] == profile


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "jpg"), ("WEBP", "webp"), ("PNG", "png")])
def test_the_way_up_stays_and_no_other_exif(kind, name):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "Jane Smith's garden"
    stream = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(stream, kind, exif=exif)
    stored, _ = encode_lossless(decode(stream.getvalue()), name)
    with Image.open(io.BytesIO(stored)) as image:
        assert dict(image.getexif()) == {0x0112: 6}
        assert ImageOps.exif_transpose(image).size == (20, 40)


@pytest.mark.parametrize("exif", [b"Exif\0\0no tiff", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_broken_exif_is_upright(exif):
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "JPEG", exif=exif)
    assert decode(stream.getvalue()).info == {}


@pytest.mark.parametrize("data", [b"", b"no picture", packed("RGB", "JPEG")[:200], packed("RGB", "TIFF")])
def test_hostile_bytes_are_no_picture(data):
    assert decode(data) is None


def test_a_bomb_is_not_decoded(monkeypatch):
    monkeypatch.setattr("curate.decode.MAX_PIXELS", 100)
    assert decode(packed("RGB", "PNG")) is None


def test_clear_parts_are_seen_white():
    assert seen(Image.new("RGBA", (2, 2), (0, 0, 0, 0))).tolist() == [[[255] * 3] * 2] * 2
