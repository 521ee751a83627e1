"""What is written is read, whichever way it runs; what is no picture is not."""

import importlib.metadata

import numpy as np
import pytest
from drawn import encoded, sheet
from PIL import Image, ImageFont

from curate.errors import ModelError
from filters.pii.pictures.reading import Line, Reader, in_reading_order, open_reader

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reader():
    return open_reader(1, 2000)


def squeezed(lines):
    return [line.text.replace(" ", "") for line in lines]


def test_lines_come_in_reading_order(reader):
    image = sheet("Call Mary Jones", "at 212-555-0187 now")
    (first, second) = reader.read(encoded(image))
    assert squeezed((first, second)) == ["CallMaryJones", "at212-555-0187now"]
    assert first.score > 0.9
    assert 20 <= first.height <= 45
    assert first.edges[0] == 0
    assert first.edges[-1] == 1
    assert list(first.edges) == sorted(first.edges)
    assert len(first.edges) == len(first.text) + 1


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 12])
def test_a_line_says_which_way_it_runs(reader, degrees):
    """Where the last word is drawn, there its characters are said to be."""
    image = sheet("from left to right", size=(420, 90), height=34)
    font = ImageFont.load_default(34)
    left, right = (20 + font.getlength(text) for text in ("from left to ", "from left to right"))
    marked = Image.new("RGB", image.size, "white")
    marked.paste("red", (round(left), 10, round(right), 60))
    turned, where = (each.rotate(degrees, expand=True, fillcolor="white") for each in (image, marked))
    (line,) = reader.read(encoded(turned))
    begins = line.text.index("right")
    assert line.text.replace(" ", "") == "fromlefttoright"
    a, b, c, d = (np.array(corner) for corner in line.corners)
    start, stop = (a + d) / 2, (b + c) / 2
    red = np.argwhere(np.asarray(where)[..., 1] < 128)[:, ::-1]
    share = (red - start) @ (stop - start) / np.dot(stop - start, stop - start)
    assert np.median(share) == pytest.approx((line.edges[begins] + 1) / 2, abs=0.04)


WHITE_ON_DARK = sheet("white on dark", paper="#102040", ink="white")


@pytest.mark.parametrize("image", [WHITE_ON_DARK, *(WHITE_ON_DARK.convert(mode) for mode in ("L", "P", "CMYK"))])
def test_colours_and_modes(reader, image):
    kind = "JPEG" if image.mode == "CMYK" else "PNG"
    assert squeezed(reader.read(encoded(image, kind))) == ["whiteondark"]


def test_clear_paper_is_white(reader):
    image = sheet("on clear paper")
    clear = Image.new("RGBA", image.size, (0, 0, 0, 0))
    clear.paste("black", mask=Image.eval(image.convert("L"), lambda value: 255 - value))
    assert squeezed(reader.read(encoded(clear))) == ["onclearpaper"]


@pytest.mark.parametrize("size", [(1, 1), (5, 3000), (3000, 9), (300, 40), (40, 900), (64, 64)])
def test_any_shape_is_read(reader, size):
    assert reader.read(encoded(Image.new("RGB", size, "white"))) == ()


def test_a_long_strip_is_read(reader):
    assert "farright" in "".join(squeezed(reader.read(encoded(sheet("far right", size=(1900, 60))))))


def test_what_is_larger_is_read_smaller():
    image = sheet("large letters", size=(1600, 500), height=90)
    (line,) = Reader(1, 400).read(encoded(image))
    assert line.text.replace(" ", "") == "largeletters"
    assert 60 < line.height < 160


def test_broken_bytes_are_none(reader):
    whole = encoded(sheet("words"), "JPEG")
    assert [reader.read(data) for data in (b"", b"no picture", whole[:200])] == [None, None, None]


def test_a_picture_is_read_once(reader, monkeypatch):
    data = encoded(sheet("only once"))
    first = reader.read(data)
    monkeypatch.setattr(reader, "_lines", lambda image: pytest.fail("read again"))
    assert reader.read(data) is first
    assert open_reader(1, 2000) is reader


def test_what_it_remembers_is_bounded(monkeypatch):
    small = Reader(1, 64)
    monkeypatch.setattr("filters.pii.pictures.reading.REMEMBERED", 2)
    for shade in range(4):
        small.read(encoded(Image.new("L", (9, 9), shade)))
    assert len(small._read) == 2


def test_threads_are_those_asked_for(reader):
    for part in (reader._ocr.text_det.infer, reader._ocr.text_cls.infer, reader._ocr.text_rec.session):
        options = part.session.get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_a_missing_package_says_what_to_do(monkeypatch):
    def gone(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("filters.pii.pictures.reading.version", gone)
    with pytest.raises(ModelError, match="pip install --no-deps rapidocr-onnxruntime"):
        Reader(1, 2000)


def test_rows_then_columns():
    def at(left, top):
        return Line(
            f"{left} {top}", 1.0, ((left, top), (left + 30, top), (left + 30, top + 20), (left, top + 20)), (0, 1)
        )

    shuffled = [at(200, 4), at(0, 40), at(0, 0), at(200, 36)]
    assert [line.text for line in in_reading_order(shuffled)] == ["0 0", "200 4", "0 40", "200 36"]
