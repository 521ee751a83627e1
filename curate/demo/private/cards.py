"""Pictures that carry personal values: letters and notes as photographs show them, on something that is not white."""

import io
import random
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from curate.demo.private.values import Value

SIZE = (760, 520)
"""Pixels, width and height."""
MARGIN = 60
LINE = 1.9
"""Distance of lines, in heights of the writing."""
TITLES = {
    "PERSON": "Name", "EMAIL_ADDRESS": "E-mail", "PHONE_NUMBER": "Phone", "STREET_ADDRESS": "Address",
    "CREDIT_CARD": "Card number", "IBAN_CODE": "Account", "IP_ADDRESS": "Server",
}  # fmt: skip


def card(values: Sequence[Value], number: int) -> bytes:
    """Return a PNG of a sheet with a line for each value, lying on a surface; both differ from number to number."""
    draw = random.Random(f"card {number}")
    picture = _surface(draw)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((MARGIN // 2, MARGIN // 2, SIZE[0] - MARGIN // 2, SIZE[1] - MARGIN // 2), fill=_paper(draw))
    height = draw.randrange(24, 32)
    font = ImageFont.load_default(height)
    ink = tuple(draw.randrange(0, 90) for _ in range(3))
    top = float(MARGIN + 10)
    pen.text((MARGIN, top), draw.choice(("Please contact", "Visitor", "Delivery note", "Member")), fill=ink, font=font)
    for value in values:
        top += LINE * height
        pen.text((MARGIN, top), f"{TITLES[value.kind]}: {value.text}", fill=ink, font=font)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _surface(draw: random.Random) -> Image.Image:
    """Return a grained surface with a slope of light."""
    width, height = SIZE
    rng = np.random.default_rng(draw.randrange(2**32))
    base = np.array([draw.randrange(70, 170) for _ in range(3)], float)
    light = np.linspace(-30, 30, width)[None, :, None] + np.linspace(-15, 15, height)[:, None, None]
    grain = rng.normal(0, 9, (height, width, 1))
    return Image.fromarray(np.clip(base + light + grain, 0, 255).astype(np.uint8))


def _paper(draw: random.Random) -> tuple[int, int, int]:
    red, green, blue = (draw.randrange(225, 256) for _ in range(3))
    return red, green, blue
