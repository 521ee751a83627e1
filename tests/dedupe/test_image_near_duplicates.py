"""Copies of pictures among strangers: what is near, what is not, and what cannot be told."""

import io
import pickle
import struct
import zlib
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from pydantic import ValidationError

from curate.dedupe.image_near_duplicates import ImageNearDuplicates
from curate.dedupe.perceptual import hashes, luminance
from curate.dedupe.views import MIRRORS, WINDOWS, mirrored, windows
from tests.erase import runs

STRANGERS = range(20, 32)
picture = lru_cache(runs.picture)


def opened(number, side=320):
    return Image.open(io.BytesIO(picture(number, side)))


def encoded(image, quality=90, kind="JPEG"):
    stream = io.BytesIO()
    image.convert("RGB").save(stream, kind, quality=quality)
    return stream.getvalue()


def cut(image, left, top, right, bottom):
    width, height = image.size
    box = (left * width, top * height, width - right * width, height - bottom * height)
    return image.crop(tuple(map(round, box)))


def marked(image):
    marked = image.copy()
    ImageDraw.Draw(marked).text((20, 20), "example.com", fill="white", font_size=14)
    return marked


def sketched(stage, pictures):
    """Sketch as a worker does: from a pickled copy."""
    table = pa.table({"image": pa.array(pictures, pa.large_binary())})
    return pickle.loads(pickle.dumps(stage)).open()(table)


def clusters(stage, pictures):
    """Name each picture by the first one it is joined to, as a run does."""
    return joined(stage, sketched(stage, pictures), 1000)


def joined(stage, sketch, block):
    find = pickle.loads(pickle.dumps(stage.comparing())).find
    rows = np.flatnonzero(~sketch.apart)
    names = list(range(len(sketch.node)))

    def join(a, b):
        low, high = sorted((names[a], names[b]))
        names[:] = [low if name == high else name for name in names]

    first = {}
    for row in rows.tolist():
        join(row, first.setdefault((int(sketch.node[row]), int(sketch.check[row])), row))
    blocks = [rows[start : start + block] for start in range(0, len(rows), block)]
    for number, left in enumerate(blocks):
        for right in blocks[number:]:
            for i, j in zip(*find(sketch.payload.take(left), sketch.payload.take(right)), strict=True):
                join(int(left[i]), int(right[j]))
    return names


def is_found(stage, change, numbers=range(6)):
    """How many changed pictures are joined to their original, and to nothing else."""
    originals = [encoded(opened(n)) for n in numbers]
    copies = [change(opened(n)) for n in numbers]
    names = clusters(stage, [*originals, *copies, *(picture(n, 320) for n in STRANGERS)])
    count = len(numbers)
    assert names[:count] == list(range(count)), "two originals were joined"
    assert names[2 * count :] == list(range(2 * count, 2 * count + len(STRANGERS))), "a stranger was joined"
    return sum(names[count + n] == n for n in range(count))


COPIES = {
    "other format": lambda image: encoded(image, 60, "WEBP"),
    "coarse": lambda image: encoded(image, 20),
    "half": lambda image: encoded(image.resize((160, 160))),
    "a quarter": lambda image: encoded(image.resize((80, 80))),
    "double": lambda image: encoded(image.resize((640, 640))),
    "brighter": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.3)),
    "more contrast": lambda image: encoded(ImageEnhance.Contrast(image).enhance(1.3)),
    "less contrast": lambda image: encoded(ImageEnhance.Contrast(image).enhance(0.85)),
    "written on": lambda image: encoded(marked(image)),
}
FLIPPED = {
    "left and right": lambda image: encoded(ImageOps.mirror(image), 60),
    "top and bottom": lambda image: encoded(ImageOps.flip(image).resize((200, 200))),
}
CROPPED = {
    "all edges, 5 %": lambda image: encoded(cut(image, 0.025, 0.025, 0.025, 0.025)),
    "all edges, 10 %": lambda image: encoded(cut(image, 0.05, 0.05, 0.05, 0.05)),
    "left, 6 %": lambda image: encoded(cut(image, 0.06, 0, 0, 0)),
    "top, 3 %": lambda image: encoded(cut(image, 0, 0.03, 0, 0)),
    "right, 9 %": lambda image: encoded(cut(image, 0, 0, 0.09, 0)),
    "bottom, 6 %": lambda image: encoded(cut(image, 0, 0, 0, 0.06)),
}


@pytest.mark.parametrize("change", COPIES)
def test_copies_are_found(change):
    assert is_found(ImageNearDuplicates(), COPIES[change]) == 6


@pytest.mark.parametrize("change", FLIPPED)
def test_flips_are_found_where_asked(change):
    assert is_found(ImageNearDuplicates(), FLIPPED[change]) == 0
    assert is_found(ImageNearDuplicates(flips=True), FLIPPED[change]) == 6


@pytest.mark.parametrize("change", CROPPED)
def test_crops_are_found_where_asked(change):
    assert is_found(ImageNearDuplicates(), CROPPED[change], range(3)) <= 1
    assert is_found(ImageNearDuplicates(crops=True), CROPPED[change], range(3)) == 3


def test_a_cut_mirror_image_needs_both():
    def change(image):
        return encoded(ImageOps.mirror(cut(image, 0.05, 0.05, 0.05, 0.05)))

    assert is_found(ImageNearDuplicates(flips=True), change, range(3)) == 0
    assert is_found(ImageNearDuplicates(crops=True), change, range(3)) == 0
    assert is_found(ImageNearDuplicates(flips=True, crops=True), change, range(3)) == 3


@pytest.mark.parametrize("settings", [{}, {"flips": True}, {"crops": True}, {"flips": True, "crops": True}])
def test_blocks_find_what_one_block_finds(settings):
    """A cut copy is found whether it stands before its original or after it, in one block or in two."""
    changes = [COPIES["half"], FLIPPED["left and right"], CROPPED["all edges, 10 %"]]
    pictures = [change(opened(n)) for n in range(2) for change in (*changes, encoded)]
    pictures += [change(opened(n)) for n in (7, 8) for change in (encoded, *changes)]
    stage = ImageNearDuplicates(**settings)
    sketch = sketched(stage, pictures)
    whole = joined(stage, sketch, 1000)
    assert len(set(whole)) == 4 * (3 - len(settings))
    assert [joined(stage, sketch, block) for block in (1, 3, 5)] == [whole] * 3


@pytest.mark.parametrize("block", [1, 2, 4])
def test_blocks_of_equal_hashes_are_not_one_block(block):
    pictures = [bytes_ + more for more in (b"", b"0") for bytes_ in (encoded(opened(3)), encoded(opened(4)))]
    sketch = sketched(ImageNearDuplicates(), pictures)
    assert sketch.payload[:2].equals(sketch.payload[2:])
    assert joined(ImageNearDuplicates(), sketch, block) == [0, 1, 0, 1]


def test_the_radius_decides_and_sketches_stay():
    pictures = [encoded(opened(3)), encoded(opened(3).resize((80, 80)))]
    apart = int(np.bitwise_count(np.bitwise_xor(*hashes(pictures).bits)).sum())
    assert 0 < apart < 31
    assert clusters(ImageNearDuplicates(radius=apart), pictures) == [0, 0]
    assert clusters(ImageNearDuplicates(radius=apart - 1), pictures) == [0, 1]
    stages = [ImageNearDuplicates(), ImageNearDuplicates(radius=3), ImageNearDuplicates(at_least_quality=0)]
    assert len({stage.identity() for stage in stages}) == 1
    assert (
        ImageNearDuplicates(flips=True).identity() != stages[0].identity() != ImageNearDuplicates(crops=True).identity()
    )


def test_flat_pictures_are_copies_only_where_their_bytes_are():
    teal, navy = (encoded(Image.new("RGB", (90, 60), color)) for color in ("teal", "navy"))
    again = encoded(Image.new("RGB", (90, 60), "teal"), 50)
    pictures = [teal, navy, teal, again]
    assert clusters(ImageNearDuplicates(), pictures) == [0, 1, 0, 3]
    assert clusters(ImageNearDuplicates(at_least_quality=0), pictures) == [0, 0, 0, 0]


def bomb():
    """A small PNG that claims to be huge."""
    data = bytearray(encoded(Image.new("L", (8, 8)), kind="PNG"))
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def test_what_cannot_be_read_is_nobodys_copy():
    whole = picture(1, 320)
    pictures = [None, None, b"", b"", b"no picture", b"no picture", whole[:300], whole[:300], bomb(), bomb(), whole]
    sketch = sketched(ImageNearDuplicates(flips=True, crops=True), pictures)
    assert sketch.apart.tolist() == [True] * 10 + [False]
    assert sketch.payload.null_count == 10
    assert clusters(ImageNearDuplicates(), pictures) == list(range(11))


@pytest.mark.parametrize("settings", [{}, {"flips": True}, {"crops": True}, {"flips": True, "crops": True}])
def test_payloads(settings):
    stage = ImageNearDuplicates(**settings)
    looks = 1 + MIRRORS * stage.flips + WINDOWS * stage.crops
    assert stage.comparing().payload_bytes == 1 + 32 * looks
    pictures = [picture(2, 320), None, encoded(Image.new("L", (1, 1))), encoded(Image.new("L", (3000, 2)))]
    payload = sketched(stage, pictures).payload
    assert payload.type == pa.binary(1 + 32 * looks)
    expected = [hashes([picture(2, 320)]).bits[0], *(mirrored(luminance(pictures[0])) if stage.flips else ())]
    expected += [*(windows(luminance(pictures[0])) if stage.crops else ())]
    assert payload[0].as_py() == bytes([90]) + np.concatenate(expected).tobytes()
    for row in range(4):
        assert sketched(stage, [pictures[row]]).payload[0] == payload[row]
    assert len(sketched(stage, []).payload) == 0


def test_a_mirror_image_of_a_mirror_image_is_the_picture():
    luma = luminance(picture(4, 320))
    for number, turned in enumerate((luma[:, ::-1], luma[::-1])):
        assert (mirrored(np.ascontiguousarray(turned))[number] == hashes([picture(4, 320)]).bits[0]).all()


def test_a_column_in_slices_is_read_from_its_start():
    payload = sketched(ImageNearDuplicates(), [picture(n, 320) for n in (1, 2, 1, 3, 1)]).payload
    find = ImageNearDuplicates().comparing().find
    i, j = find(payload.slice(1), payload.slice(2, 3))
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) in (
        [(1, 0), (1, 2), (2, 1), (3, 0)],
        [(1, 0), (1, 2), (2, 1), (3, 2)],
    )


@pytest.mark.parametrize("settings", [{"radius": 65}, {"radius": -1}, {"at_least_quality": 101}, {"crops": 3}])
def test_settings_out_of_bounds_are_refused(settings):
    with pytest.raises(ValidationError):
        ImageNearDuplicates(**settings)
