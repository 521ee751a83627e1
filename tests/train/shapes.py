"""Runs of coloured shapes with captions, written through the shard writer like any other run."""

import hashlib
import io
import itertools
import json
from collections.abc import Iterable

from PIL import Image, ImageDraw

from curate.shards import Manifest, write_shard
from curate.storage import Folder

COLOURS = ("red", "green", "blue", "yellow", "black", "purple", "orange", "cyan")
SHAPES = ("circle", "square", "triangle", "cross")
PLACES = ("left", "right")
Sample = tuple[str, list[tuple[str, bytes]]]

TINY = {
    "vision.width": "64",
    "vision.layers": "2",
    "vision.heads": "2",
    "vision.feedforward": "128",
    "language.width": "64",
    "language.layers": "2",
    "language.heads": "2",
    "language.feedforward": "128",
    "language.vocabulary": "400",
    "batch_size": "16",
    "threads": "1",
}
"""Sizes at which a step takes 20 ms."""


def draw(colour: str, shape: str, place: str) -> bytes:
    """Return a png of 48 x 48 pixels with one shape, transparent around it."""
    picture = Image.new("RGBA", (48, 48), (0, 0, 0, 0))
    pen, left = ImageDraw.Draw(picture), 2 if place == "left" else 24
    box = (left, 12, left + 20, 32)
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    elif shape == "square":
        pen.rectangle(box, fill=colour)
    elif shape == "triangle":
        pen.polygon([(left, 32), (left + 20, 32), (left + 10, 12)], fill=colour)
    else:
        pen.line([(left, 12), (left + 20, 32)], fill=colour, width=4)
        pen.line([(left + 20, 12), (left, 32)], fill=colour, width=4)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def sample(name: str, picture: bytes | None, question: str, answer: str) -> Sample:
    """Return one sample of a shard with a conversation of one turn."""
    said = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    members = [("json", json.dumps({"conversations": said, "caption": answer}).encode())]
    if picture is not None:
        members.append(("png", picture))
    return hashlib.md5(name.encode()).hexdigest(), members


def shapes() -> list[Sample]:
    """Return 64 samples, each combination of colour, shape and place once."""
    made = []
    for colour, shape, place in itertools.product(COLOURS, SHAPES, PLACES):
        caption = f"A {colour} {shape} on the {place}."
        made.append(sample(caption, draw(colour, shape, place), "<image>\nWhat is in this picture?", caption))
    return made


def write_run(url: str, samples: Iterable[Sample], shard_size: int = 24) -> str:
    """Write samples as shards and manifest; return the run's URL."""
    rows = list(samples)
    folder = Folder(url)
    starts = range(0, len(rows), shard_size)
    entries = [write_shard(folder / "shards", f"{n:05d}.tar", rows[s : s + shard_size]) for n, s in enumerate(starts)]
    Manifest("shapes", tuple(entries)).save(folder)
    return url
