"""Some of each kind of drawing is chosen, the same on every machine."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageDraw

from curate.demo import clipart


def drawing(size, shift=0):
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((size[0] // 4 + shift, 4, size[0] // 2, size[1] // 2), fill="navy")
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()


def header_of_bomb():
    fields = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + fields
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.fixture
def library(tmp_path):
    files = {
        "birds/owl": (drawing((100, 120)), "A wise owl"),
        "birds/owl_copy": (drawing((100, 120)), "owl"),
        "signs/arrow_01": (drawing((80, 80)), "arrow"),
        "signs/arrow_02": (drawing((80, 80), shift=1), "arrow"),
        "icons/dot": (drawing((16, 16)), "Dot icon"),
        "maps/huge": (header_of_bomb(), "Map &amp; key"),
        "maps/untitled": (drawing((90, 90)), None),
        "signs/lone": (drawing((81, 82)), "one"),
    }
    for path, (data, title) in files.items():
        png, svg = tmp_path / "png" / f"{path}.png", tmp_path / "svg" / f"{path}.svg"
        for file in (png, svg):
            file.parent.mkdir(parents=True, exist_ok=True)
        png.write_bytes(data)
        svg.write_text("<svg>" + (f"<dc:title id='t'> {title} </dc:title>" if title else "") + "</svg>")
    return tmp_path


def test_each_kind_is_taken_with_its_title_and_nothing_else(library):
    assert clipart.choose(library / "png", library / "svg") == {
        "birds/owl.png": "A wise owl",  # ordinary, and copied
        "birds/owl_copy.png": "owl",
        "icons/dot.png": "Dot icon",
        "maps/huge.png": "Map & key",
        "signs/arrow_01.png": "arrow",
        "signs/arrow_02.png": "arrow",
    }
