"""A small collection of real pictures, such as the demo makes."""

import io
import struct

import pytest
from PIL import Image, ImageDraw

from curate.demo.faults import OTHER_CAPTIONS, TRUE_CAPTIONS
from curate.demo.pictures import Collection, Picture


def drawing(number, size=(160, 140)):
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((5, 5, size[0] - 20, size[1] - 20), fill=(number * 9 % 256, 80, 160, 255))
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()


def drawn(folder, count):
    """Return a collection of drawings under the names that planted rows are made from, and `count` more."""
    named = [TRUE_CAPTIONS["debian"][0], *(path for path, _ in OTHER_CAPTIONS["debian"])]
    paths = sorted({*named, *(f"tuxpaint/animals/made-{i:02}.png" for i in range(count))})
    pictures = []
    for number, path in enumerate(paths):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(drawing(number))
        pictures.append(Picture(path, f"A round thing, number {number}.", ""))
    return Collection(folder, "debian", {}, tuple(pictures))


@pytest.fixture
def collection(tmp_path):
    return drawn(tmp_path / "pictures", 12)


def png_size(data):
    return struct.unpack(">II", data[16:24])
