"""PDQ against the loops of its paper, and against what is done to pictures."""

import io
import math
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from curate.dedupe.perceptual import BITS, CLEAR, NEAR, _filter, distances, hashes, lookalikes, luminance
from tests.erase.runs import picture


def opened(number, side=400):
    return Image.open(io.BytesIO(picture(number, side)))


def encoded(image, quality=90, kind="JPEG"):
    stream = io.BytesIO()
    image.save(stream, kind, quality=quality)
    return stream.getvalue()


def box(line, window):
    """Average a line of pixels the way the paper's running sum does."""
    ahead = (window + 2) // 2
    out = []
    for i in range(len(line)):
        seen = [line[j] for j in range(i - (window - ahead), i + ahead) if 0 <= j < len(line)]
        out.append(sum(seen) / len(seen))
    return out


def by_the_paper(luma):
    """Return 16 x 16 coefficients and the quality, by plain loops."""
    rows = [list(map(float, row)) for row in luma]
    height, width = len(rows), len(rows[0])
    for _ in range(2):
        rows = [box(row, math.ceil(width / 128)) for row in rows]
        columns = [box(column, math.ceil(height / 128)) for column in zip(*rows, strict=True)]
        rows = [list(row) for row in zip(*columns, strict=True)]
    small = [[rows[int((i + 0.5) * height / 64)][int((j + 0.5) * width / 64)] for j in range(64)] for i in range(64)]
    steps = [abs(int((small[i][j] - small[i + 1][j]) * 100 / 255)) for i in range(63) for j in range(64)]
    steps += [abs(int((small[i][j] - small[i][j + 1]) * 100 / 255)) for i in range(64) for j in range(63)]
    wave = [[math.sqrt(2 / 64) * math.cos(math.pi / 128 * (k + 1) * (2 * x + 1)) for x in range(64)] for k in range(16)]
    half = [[sum(wave[k][i] * small[i][j] for i in range(64)) for j in range(64)] for k in range(16)]
    return [[sum(half[k][j] * wave[m][j] for j in range(64)) for m in range(16)] for k in range(16)], min(
        100, sum(steps) // 90
    )


@pytest.mark.parametrize("size", [(64, 64), (130, 97), (50, 200), (300, 257)])
def test_bits_and_quality_are_the_papers(size):
    data = encoded(opened(5).resize(size), kind="PNG")
    coefficients, quality = by_the_paper(luminance(data))
    median = sorted(c for row in coefficients for c in row)[127]
    expected = [c > median for row in coefficients for c in row][::-1]
    found = hashes([data])
    assert np.unpackbits(found.bits[0]).astype(bool).tolist() == expected
    assert abs(int(found.quality[0]) - quality) <= 1  # a step at a whole hundredth may round to either side
    assert found.bits.shape == (1, BITS // 8)


CHANGES = {
    "coarser": lambda image: encoded(image, 30),
    "webp": lambda image: encoded(image, 60, "WEBP"),
    "half": lambda image: encoded(image.resize((200, 200))),
    "double": lambda image: encoded(image.resize((800, 800))),
    "squeezed": lambda image: encoded(image.resize((300, 400))),
    "brighter": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.2)),
    "darker": lambda image: encoded(ImageEnhance.Brightness(image).enhance(0.7)),
    "grey": lambda image: encoded(image.convert("L")),
    "cut by 2 %": lambda image: encoded(image.crop((4, 4, 396, 396))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_near_and_strangers_are_not(change):
    numbers = range(12)
    originals = hashes(picture(n, 400) for n in numbers)
    assert (originals.quality >= CLEAR).all()
    copies = hashes(CHANGES[change](opened(n)) for n in numbers)
    apart = distances(originals.bits, copies.bits)
    assert (np.diag(apart) <= NEAR).all(), np.diag(apart)
    assert (apart + 1000 * np.eye(12)).min() > 2 * NEAR


@pytest.mark.parametrize("turn", [*Image.Transpose])
def test_turned_and_mirrored(turn):
    stands = hashes([encoded(opened(3, 512).transpose(turn), kind="PNG")]).bits
    assert distances(stands, lookalikes(picture(3, 512), any_turn=True)).min() <= 2
    assert distances(stands, lookalikes(picture(3, 512))).min() > 2 * NEAR


@pytest.mark.parametrize("share", [0.03, 0.06, 0.1])
@pytest.mark.parametrize("side", [600, 250, 100])
def test_small_and_cut_copies_are_found_by_lookalikes(share, side):
    numbers = range(12)
    wanted = [lookalikes(picture(n, 512)) for n in numbers]
    edge = round(512 * share / 2)
    box = (edge, edge, 512 - edge, 512 - edge)
    copies = hashes(encoded(opened(n, 512).crop(box).resize((side, side))) for n in numbers).bits
    apart = np.array([[distances(one, copy[None]).min() for copy in copies] for one in wanted])
    assert (np.diag(apart) <= NEAR).all(), np.diag(apart)
    assert (apart + 1000 * np.eye(12)).min() > 2 * NEAR


def test_a_batch_is_its_pictures_one_by_one():
    several = [picture(n, side) for n, side in ((1, 64), (2, 640), (3, 200))]
    together = hashes([*several, b"no picture", b""])
    assert together.quality.tolist()[3:] == [-1, -1]
    for row, one in enumerate(several):
        alone = hashes([one])
        assert (alone.bits[0] == together.bits[row]).all()
        assert alone.quality[0] == together.quality[row]
    assert len(hashes([])) == 0


def test_flat_transparent_and_broken():
    assert hashes([encoded(Image.new("RGB", (200, 100), "teal"))]).quality[0] == 0
    clear = ImageOps.expand(opened(2, 64), 8).convert("RGBA")
    clear.putalpha(0)
    assert hashes([encoded(clear, kind="PNG")]).quality[0] == 0  # what cannot be seen does not count
    assert luminance(picture(1)[:200]) is None
    with pytest.raises(ValueError, match="not a picture"):
        lookalikes(b"GIF89a")


def test_distances():
    left = np.array([[0] * 32, [255] * 32], np.uint8)
    right = np.array([[0] * 32, [255] * 32, [15] * 32], np.uint8)
    assert distances(left, right).tolist() == [[0, 256, 128], [256, 0, 128]]


def test_a_picture_that_claims_to_be_huge_is_none_that_can_be_read():
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "PNG")
    data = bytearray(stream.getvalue())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    assert luminance(bytes(data)) is None


def test_filters_are_whole_numbers_that_keep_the_mean():
    """Sums of them are exact, so the same bits come from any machine's BLAS."""
    for length in range(1, 513):
        rows = _filter(length)
        assert rows.shape == (64, length)
        assert (rows == np.rint(rows)).all()
        assert (rows.sum(axis=1) == 144).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_jpeg_is_read_as_what_it_decodes_to(kind):
    for number in range(6):
        photo = encoded(opened(number, 700))
        decoded = io.BytesIO()
        Image.open(io.BytesIO(photo)).save(decoded, kind, lossless=True)
        assert distances(hashes([photo]).bits, hashes([decoded.getvalue()]).bits).max() <= 4


def test_a_picture_without_anything_to_see_has_no_bit_set():
    """Its coefficients are nought but for rounding, which must not be what the bits are made of."""
    assert not hashes([encoded(Image.new("L", (317, 211), 77), kind="PNG")]).bits.any()
