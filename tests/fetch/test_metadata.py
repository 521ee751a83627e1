"""Metadata leaves, pixels stay, and no bytes whatever break or hang the walkers."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from curate.fetch.metadata import sniff, strip_metadata
from curate.fetch.picture import Picture, check_picture
from tests.fetch.pictures import (
    SECRET,
    bomb_png,
    dirty_gif,
    dirty_jpeg,
    dirty_png,
    dirty_webp,
    drawing,
    encoded,
    exif,
    frames,
    jpeg_segment,
    png_chunk,
)

MOST_PIXELS = 10_000_000
ANIMATION = {"save_all": True, "append_images": frames()[1:], "duration": 40, "loop": 3}
SIGNATURES = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"GIF89a", b"RIFF\x20\0\0\0WEBP"]
FILES = {
    "jpeg": dirty_jpeg(),
    "jpeg grey": dirty_jpeg("L"),
    "jpeg cmyk": dirty_jpeg("CMYK"),
    "jpeg progressive": dirty_jpeg(progressive=True),
    "jpeg restarts": dirty_jpeg(restart_marker_blocks=2),
    "jpeg icc": dirty_jpeg(icc_profile=b"profile" * 20_000),
    "jpeg turned": dirty_jpeg(orientation=6),
    "png": dirty_png(),
    "png palette": dirty_png("P", transparency=3),
    "png 16 bit": dirty_png("I;16"),
    "png interlaced alpha": dirty_png("RGBA", icc_profile=b"profile"),
    "apng": dirty_png(**ANIMATION),
    "webp": dirty_webp(),
    "webp lossless": dirty_webp(lossless=True, icc_profile=b"profile"),
    "webp turned": dirty_webp(orientation=3),
    "webp animated": dirty_webp(**ANIMATION),
    "webp plain": encoded(drawing(), "WEBP"),
    "webp plain lossless": encoded(drawing("RGBA"), "WEBP", lossless=True),
    "gif": dirty_gif(),
    "gif transparent": dirty_gif(transparency=3),
    "gif animated": dirty_gif(**ANIMATION),
}


def stripped(data: bytes) -> bytes:
    outcome = strip_metadata(data, sniff(data) or "")
    assert not isinstance(outcome, str), outcome
    return outcome.data


def seen(data: bytes) -> list[tuple[str, bytes, object]]:
    """Return mode, pixels and duration of every frame, as a decoder gives them."""
    with Image.open(io.BytesIO(data)) as image:
        return [(f.mode, f.tobytes(), f.info.get("duration")) for f in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("name", FILES)
def test_pixels_and_colour_profile_stay(name):
    before, after = FILES[name], stripped(FILES[name])
    # A second picture behind the first is not part of it: the multi-picture reader would follow a stripped index.
    assert seen(after) == seen(before)
    with Image.open(io.BytesIO(before)) as one, Image.open(io.BytesIO(after)) as other:
        for kept in ("icc_profile", "transparency", "loop", "gamma", "adobe_transform", "jfif_density"):
            assert other.info.get(kept) == one.info.get(kept), kept
        assert other.getexif().get(0x0112, 1) == one.getexif().get(0x0112, 1)


@pytest.mark.parametrize("name", FILES)
def test_nothing_else_stays(name):
    after = stripped(FILES[name])
    assert SECRET not in after
    assert b"xap" not in after
    with Image.open(io.BytesIO(after)) as image:
        assert set(image.getexif()) <= {0x0112}
        assert not image.getexif().get_ifd(0x8825)
        assert not {"comment", "xmp", "photoshop", "Author", "Long", "XML:com.adobe.xmp"} & set(image.info)
    assert stripped(after) == after


@pytest.mark.parametrize("name", ["jpeg turned", "webp turned"])
def test_what_the_fixtures_plant_is_really_there(name):
    assert SECRET in FILES[name]
    with Image.open(io.BytesIO(FILES[name])) as image:
        assert {0x013B, 0x0112} <= set(image.getexif())


def test_orientation_of_a_png_stays():
    data = encoded(drawing(), "PNG", exif=exif(8))
    with Image.open(io.BytesIO(stripped(data))) as image:
        assert dict(image.getexif()) == {0x0112: 8}


def test_jfif_thumbnail_goes():
    thumbnail = b"JFIF\0\x01\x01\0\0\x01\0\x01\x02\x02" + bytes(12)
    clean = encoded(drawing(), "JPEG")
    data = clean[:2] + jpeg_segment(0xE0, thumbnail) + clean[20:]
    assert b"\x02\x02" + bytes(12) in data
    after = stripped(data)
    assert jpeg_segment(0xE0, thumbnail[:12] + b"\0\0") in after
    assert seen(after) == seen(clean)


def test_a_false_animation_becomes_the_still_picture():
    clean = encoded(drawing(), "PNG")
    data = clean[:33] + png_chunk(b"acTL", bytes(8)) + clean[33:]
    assert stripped(data) == clean


def test_private_chunks_inside_webp_frames_go():
    data = encoded(frames()[0], "WEBP", **ANIMATION)
    at = data.index(b"ANMF")
    (length,) = struct.unpack_from("<I", data, at + 4)
    extra = b"SECR" + struct.pack("<I", 24) + SECRET.ljust(24)
    frame = b"ANMF" + struct.pack("<I", length + len(extra)) + data[at + 8 : at + 8 + length] + extra
    body = data[8:at] + frame + data[at + 8 + length :]
    planted = b"RIFF" + struct.pack("<I", len(body)) + body
    assert SECRET not in stripped(planted)
    assert seen(stripped(planted)) == seen(data)


@pytest.mark.parametrize("name", FILES)
def test_whole_files_are_accepted(name):
    picture = check_picture(FILES[name], MOST_PIXELS)
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height) == (48, 32)
    assert picture.image_format == {"jpeg": "jpg", "apng": "png"}.get(name.split()[0], name.split()[0])


@pytest.mark.parametrize("name", FILES)
def test_cut_files_are_refused(name):
    data = stripped(FILES[name])
    for share in (0.3, 0.6, 0.9):
        assert check_picture(data[: int(len(data) * share)], MOST_PIXELS) in {"truncated_image", "broken_image"}
    assert check_picture(data[:-1], MOST_PIXELS) == "truncated_image"


def test_missing_pixels_in_a_whole_container_are_found():
    clean = encoded(drawing(), "PNG")
    at = clean.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", clean, at)
    short = clean[:at] + png_chunk(b"IDAT", clean[at + 8 : at + 8 + length // 2]) + png_chunk(b"IEND", b"")
    assert check_picture(short, MOST_PIXELS) == "truncated_image"


def test_bombs_are_refused_by_their_headers():
    assert check_picture(bomb_png(), MOST_PIXELS) == "too_many_pixels"
    wide = bytearray(encoded(drawing("P"), "GIF"))
    wide[6:10] = b"\xff\xff\xff\xff"
    assert check_picture(bytes(wide), MOST_PIXELS) == "too_many_pixels"
    canvas = bytearray(dirty_webp())
    canvas[24:30] = b"\xff\x3f\0\xff\x3f\0"
    assert check_picture(bytes(canvas), MOST_PIXELS) == "too_many_pixels"
    jpeg = bytearray(encoded(drawing(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    assert check_picture(bytes(jpeg), MOST_PIXELS) == "too_many_pixels"


def test_the_limit_counts_pixels_exactly():
    data = encoded(drawing(), "PNG")
    assert isinstance(check_picture(data, 48 * 32), Picture)
    assert check_picture(data, 48 * 32 - 1) == "too_many_pixels"


def test_a_jpeg_with_endless_scans_is_refused():
    data = encoded(drawing(), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    assert check_picture(data[:-2] + data[at:-2] * 100 + b"\xff\xd9", MOST_PIXELS) == "broken_image"


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff\xd8", b"BM" + bytes(60), b"RIFF\0\0\0\0WAVE", b"GIF90a"])
def test_other_things_are_not_images(data):
    assert check_picture(data, MOST_PIXELS) == "not_an_image"


@settings(derandomize=True, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_mangled_bytes_are_values_never_errors(name, data):
    whole = FILES[name]
    mangled = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        mangled[data.draw(st.integers(0, len(mangled) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(mangled)))
    outcome = check_picture(bytes(mangled[: cut or None]), MOST_PIXELS)
    assert isinstance(outcome, Picture) or outcome in {
        "not_an_image",
        "truncated_image",
        "broken_image",
        "too_many_pixels",
    }


@settings(derandomize=True, deadline=None)
@given(st.sampled_from(SIGNATURES), st.binary())
def test_noise_after_a_signature_is_a_value(signature, noise):
    assert isinstance(check_picture(signature + noise, MOST_PIXELS), str)
