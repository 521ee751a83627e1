"""Test pictures found again among others, whole and changed."""

import io
import tarfile

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from curate.dedupe.evaluation_pictures import LISTED, PictureIndex, PictureSet, pictures_sha256, read_pictures
from curate.dedupe.perceptual import distances, hashes
from curate.errors import InputError


def scene(seed):
    """A picture with large and small things in it, different for each seed."""
    draw = np.random.default_rng(seed)
    small = Image.fromarray(draw.integers(0, 256, (12, 16, 3), np.uint8))
    return small.resize((320, 240), Image.Resampling.BICUBIC)


def encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "class").mkdir()
    for seed in range(3):
        (tmp_path / "class" / f"{seed}.png").write_bytes(encoded(scene(seed)))
    (tmp_path / "flat.png").write_bytes(encoded(Image.new("RGB", (64, 64), "navy")))
    return tmp_path


def indexed(folder, **how):
    return PictureIndex({"set": PictureSet(path=str(folder))}, **({"cropped": False, "turned": False} | how))


def test_names_are_those_below_the_folder(folder):
    index = indexed(folder)
    assert index.names == [("set", f"class/{seed}.png") for seed in range(3)] + [("set", "flat.png")]
    assert index.flat == [False, False, False, True]


def test_copies_are_found_and_others_are_not(folder):
    copy = encoded(scene(1).resize((200, 150)), "JPEG", quality=60)
    pictures = [copy, encoded(scene(9)), None, b"broken", encoded(Image.new("RGB", (64, 64), "navy"))]
    near = indexed(folder).find(pa.array(pictures, pa.large_binary()))
    assert near.bits[0] <= 31
    assert near.bits[1] > LISTED
    assert near.bits[2:].tolist() == [256, 256, 256]
    assert near.unreadable.tolist() == [False, False, False, True, False]
    assert (near.rows.tolist(), near.items.tolist()) == ([0], [1])
    assert near.item_bits.tolist() == [near.bits[0]]


def test_distance_is_the_smallest_of_all(folder):
    pictures = [encoded(scene(seed)) for seed in range(20)]
    test = hashes([encoded(scene(seed)) for seed in range(3)])
    near = indexed(folder).find(pa.array(pictures, pa.large_binary()))
    assert near.bits.tolist() == distances(hashes(pictures).bits, test.bits).min(axis=1).tolist()


def test_cut_and_turned_pictures_are_found_where_asked(folder):
    cut = scene(2).crop((16, 12, 304, 228))
    turned = pa.array([encoded(cut), encoded(scene(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT))], pa.large_binary())
    plain, cropped = indexed(folder), indexed(folder, cropped=True)
    assert cropped.find(turned).bits[0] <= 31
    assert cropped.find(turned).bits[0] < plain.find(turned).bits[0]
    assert cropped.find(turned).bits[1] > 31
    assert indexed(folder, turned=True).find(turned).bits[1] <= 31


def test_tars_hold_pictures_by_their_names_in_them(tmp_path):
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        for name, data in (("a/1.jpg", encoded(scene(1), "JPEG")), ("a/1.json", b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    assert [name for name, _ in read_pictures(str(tmp_path))] == ["a/1.jpg"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.png", None, "no such file"),
        ("x.png", b"broken", "not a picture that can be read"),
        ("x.tar", b"broken" * 200, "cannot be read as a tar"),
        ("x", None, "no such folder"),
    ],
)
def test_fault_is_one_clear_error(tmp_path, name, data, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        pictures_sha256(str(tmp_path / name))


def test_hash_follows_the_content(folder):
    before = pictures_sha256(str(folder))
    assert pictures_sha256(str(folder)) == before
    (folder / "class" / "0.png").write_bytes(encoded(scene(30)))
    assert pictures_sha256(str(folder)) != before
