"""A real face is found however the picture lies, covered, and told; the rest of the picture stays."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from curate.errors import ModelError
from filters.pii.pictures.centerface import CenterFace
from filters.pii.pictures.redact_faces import RedactFaces
from filters.pii.pictures.session import open_session
from filters.pii.pictures.storing import decode, seen
from filters.pii.pictures.touched import WRITES

pytestmark = pytest.mark.slow
PORTRAIT = Path(__file__).parents[3] / "data" / "faces" / "astronaut.jpg"
FACE = (105, 54, 205, 180)
"""Left, top, right and bottom of the face in PORTRAIT, in pixels, by eye."""


@pytest.fixture(scope="module")
def edit():
    return RedactFaces().open()


def packed(picture, kind="PNG"):
    stream = io.BytesIO()
    picture.save(stream, kind)
    return stream.getvalue()


def pictures(*images, image_format="png"):
    columns = [
        pa.array(images, pa.large_binary()),
        pa.array([image_format] * len(images), pa.string()),
        pa.array(["0" * 64] * len(images), pa.string()),
    ]
    return pa.table(columns, schema=pa.schema(WRITES))


def covered(edited):
    """The boxes that the ledger is told of."""
    places = [place.removeprefix("image ") for place in edited.findings["place"].to_pylist()]
    return [tuple(map(int, place.split(","))) for place in places]


def share_in(face, box):
    wide = min(face[2], box[2]) - max(face[0], box[0])
    high = min(face[3], box[3]) - max(face[1], box[1])
    return max(0, wide) * max(0, high) / ((face[2] - face[0]) * (face[3] - face[1]))


def test_a_photograph_loses_its_face_and_nothing_else(edit):
    data = PORTRAIT.read_bytes()
    edited = edit(pictures(data, image_format="jpg"))
    (box,) = covered(edited)
    assert share_in(FACE, box) > 0.95
    stored = edited.columns["image"][0].as_py()
    before, after = (seen(decode(d)).astype(int) for d in (data, stored))
    outside = np.ones(before.shape[:2], bool)
    outside[box[1] : box[3], box[0] : box[2]] = False
    assert np.array_equal(before[outside], after[outside])
    face = np.s_[FACE[1] : FACE[3], FACE[0] : FACE[2]]
    assert np.abs(np.diff(after[face], axis=1)).mean() < np.abs(np.diff(before[face], axis=1)).mean() / 2
    assert edited.columns["image_format"][0].as_py() == "webp"


def test_a_filled_face_is_found_no_more(edit):
    once = RedactFaces(cover="fill", shape="box").open()(pictures(PORTRAIT.read_bytes(), image_format="jpg"))
    again = edit(pictures(once.columns["image"][0].as_py(), image_format="webp"))
    assert again.changed.to_pylist() == [False]


def test_the_ledger_is_told_what_where_and_by_whom(edit):
    (finding,) = edit(pictures(PORTRAIT.read_bytes())).findings.to_pylist()
    assert (finding["reason"], finding["action"], finding["match"]) == ("FACE", "blur", None)
    assert finding["score"] > 0.7
    assert finding["detector"].startswith("CenterFace ")


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_face_is_found(edit, turn):
    turned = Image.open(PORTRAIT).rotate(turn, expand=True)
    left, top, right, bottom = FACE
    there = {
        90: (top, 320 - right, bottom, 320 - left),
        180: (320 - right, 320 - bottom, 320 - left, 320 - top),
        270: (320 - bottom, left, 320 - top, right),
    }[turn]
    edited = edit(pictures(packed(turned)))
    assert max(share_in(there, box) for box in covered(edited)) > 0.9


@pytest.mark.parametrize("height", [24, 48, 1000])
def test_small_and_large_faces_are_found(edit, height):
    scale = height / (FACE[3] - FACE[1])
    sized = Image.open(PORTRAIT).resize((round(320 * scale),) * 2, Image.Resampling.LANCZOS)
    found = edit(pictures(packed(sized)))
    assert max(share_in(tuple(s * scale for s in FACE), box) for box in covered(found)) > 0.9


def test_a_small_face_in_a_large_picture_is_found(edit):
    wide = Image.new("RGB", (1600, 1000), (120, 130, 110))
    wide.paste(Image.open(PORTRAIT).resize((100, 100), Image.Resampling.LANCZOS), (1300, 700))
    scale = 100 / 320
    there = tuple(s * scale + (1300, 700)[i % 2] for i, s in enumerate(FACE))
    assert max(share_in(there, box) for box in covered(edit(pictures(packed(wide))))) > 0.9


def test_pictures_without_faces_keep_their_bytes(edit):
    rng = np.random.default_rng(5)
    textures = [Image.new("RGB", (200, 150), "green"), Image.fromarray(rng.integers(0, 255, (90, 90, 3), np.uint8))]
    edited = edit(pictures(*map(packed, textures), None))
    assert edited.changed.to_pylist() == [False, False, False]
    assert edited.failed.null_count == 3


def test_a_broken_picture_fails_alone(edit):
    edited = edit(pictures(b"no picture", PORTRAIT.read_bytes()))
    assert edited.failed.to_pylist() == ["broken_image", None]
    assert edited.changed.to_pylist() == [False, True]


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P"])
def test_every_mode_is_covered_and_kept(edit, mode):
    picture = Image.open(PORTRAIT).convert(mode)
    edited = edit(pictures(packed(picture)))
    assert edited.changed.to_pylist() == [True]
    assert decode(edited.columns["image"][0].as_py()).mode == {"P": "RGB"}.get(mode, mode)


def test_weights_that_are_none_are_an_error(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="not a model that onnxruntime can run"):
        open_session(tmp_path / "bad.onnx", 1)
    with pytest.raises(ModelError, match="not on this machine"):
        CenterFace(RedactFaces(model=str(tmp_path / "none.onnx")).models()[0], 1)
