"""Pictures with writing, drawn for tests."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def sheet(*lines, size=(640, 200), paper="white", ink="black", height=28, mode="RGB"):
    """A picture with lines of writing, one under another."""
    image = Image.new("RGB", size, paper)
    pen = ImageDraw.Draw(image)
    for row, text in enumerate(lines):
        pen.text((20, 16 + row * height * 1.6), text, font=ImageFont.load_default(height), fill=ink)
    return image.convert(mode)


def encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pixels(data):
    """The first frame as it is seen: uint8[h, w, 4]."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))
