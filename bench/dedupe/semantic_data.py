"""Embeddings of real texts and pictures, and of copies that say the same: made once, kept in ~/.cache/curate/bench."""

import hashlib
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageEnhance, ImageOps

from bench.documents import documents
from curate.decode import on_white
from curate.demo import debian
from curate.stage import Edit
from filters.embeddings import EmbedImages, EmbedTexts

ROOT = Path("~/.cache/curate/bench").expanduser()
CACHE = ROOT / "semantic"
STAMPS = ROOT / "tuxpaint-stamps-default"
_STAMPS_INSIDE = "usr/share/tuxpaint/stamps"
_EDGE = 0.05

Vectors = np.ndarray[Any, np.dtype[np.float16]]
"""float16[n, width], each of length 1."""

TEXTS = EmbedTexts(column="text")
PICTURES = EmbedImages(model="efficientnet-lite0")


def embedded(stage: Edit, values: Sequence[Any]) -> Vectors:
    """Return what a stage says of n texts or pictures; kept by what it is and what it was given."""
    said = hashlib.sha256(stage.identity().encode())
    for value in values:
        said.update(hashlib.sha256(value.encode() if isinstance(value, str) else value).digest())
    stored = CACHE / f"{said.hexdigest()[:32]}.npy"
    if not stored.exists():
        (name,), (written,) = stage.inputs(), stage.outputs()
        kind = pa.large_binary() if name == "image" else pa.string()
        column = stage.open()(pa.table({name: pa.array(values, kind)})).columns[written.name].combine_chunks()
        CACHE.mkdir(parents=True, exist_ok=True)
        np.save(stored.with_suffix(".new.npy"), np.asarray(column.flatten()).reshape(len(values), -1))
        stored.with_suffix(".new.npy").rename(stored)
    vectors: Vectors = np.load(stored)
    return vectors


def paragraphs(count: int) -> list[str]:
    """Return distinct English paragraphs of six words or more, of manuals, in an order that mixes them."""
    found = {line for text in _english()["text"].to_pylist() for line in text.split("\n") if len(line.split()) >= 6}
    return sorted(found, key=lambda line: hashlib.sha256(line.encode()).digest())[:count]


def pages(collections: tuple[str, ...], count: int) -> list[list[str]]:
    """Return texts of pages that all of these packages have, English, one list a page."""
    by_place: dict[str, dict[str, str]] = {}
    for row in _english().to_pylist():
        if row["collection"] in collections:
            place = row["document"].split("/", 2)[2]
            by_place.setdefault(place, {})[row["collection"]] = row["text"]
    shared = {place: texts for place, texts in by_place.items() if len(texts) == len(collections)}
    wanted = sorted(shared, key=lambda place: hashlib.sha256(place.encode()).digest())[:count]
    return [[shared[place][name] for name in collections] for place in wanted]


def _english() -> pa.Table:
    table = documents()
    english = pa.array([name.lower()[:2] == "en" for name in table["language"].to_pylist()])
    return table.filter(english)


def captions(language: str = "") -> dict[str, str]:
    """Return the captions of stamps by file: English, or as `de` where there is one."""
    found = {}
    for file in sorted(_stamps().rglob("*.txt")):
        lines = file.read_text("utf-8", "replace").splitlines()
        told = {name: text for name, _, text in (line.partition(".utf8=") for line in lines[1:])}
        text = told.get(language, "") if language else next(iter(lines), "")
        if text.strip():
            found[str(file.relative_to(_stamps()).with_suffix(""))] = text.strip()
    return found


def stamps(count: int) -> list[Image.Image]:
    """Return stamps on white, at most 512 pixels on a side, no two with the same pixels."""
    found: dict[bytes, Image.Image] = {}
    for file in sorted(_stamps().rglob("*.png"), key=lambda path: hashlib.sha256(path.name.encode()).digest()):
        if len(found) == count:
            break
        with Image.open(file) as opened:
            opened.thumbnail((512, 512))
            seen = on_white(opened)
        found.setdefault(hashlib.sha256(seen.tobytes()).digest(), seen)
    return list(found.values())


def encoded(image: Image.Image, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _cut(image: Image.Image) -> Image.Image:
    x, y = int(image.width * _EDGE), int(image.height * _EDGE)
    return image.crop((x, y, image.width - x, image.height - y))


def _half(image: Image.Image) -> Image.Image:
    return image.resize((max(1, image.width // 2), max(1, image.height // 2)))


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG at quality 30": lambda i: encoded(i, 30),
    "half the size": lambda i: encoded(_half(i)),
    "30 % brighter": lambda i: encoded(ImageEnhance.Brightness(i).enhance(1.3)),
    "grey": lambda i: encoded(i.convert("L").convert("RGB")),
    "cut by 5 % at each edge": lambda i: encoded(_cut(i)),
    "mirrored": lambda i: encoded(ImageOps.mirror(i)),
    "turned by 5 degrees": lambda i: encoded(i.rotate(5, fillcolor="white")),
}


def _plain(text: str) -> str:
    words = text.rstrip(".").split()
    return " ".join(words[1:] if words[0] in {"A", "An", "The"} else words).lower()


def _slip(text: str) -> str:
    """Swap two letters in the middle of the longest word."""
    word = max(text.split(), key=len)
    at = len(word) // 2 - 1
    return text.replace(word, word[:at] + word[at + 1] + word[at] + word[at + 2 :]) if len(word) > 3 else text


REWORDINGS: dict[str, Callable[[str], str]] = {
    "without article, capitals and full stop": _plain,
    "`A picture of ...`": lambda t: f"A picture of {t[:1].lower()}{t[1:]}",
    "`Here you can see ...`": lambda t: f"Here you can see {t[:1].lower()}{t[1:]}",
    "a slip of the pen": _slip,
}


def _stamps() -> Path:
    folder = STAMPS / _STAMPS_INSIDE
    if not folder.exists():
        (package,) = debian.find([STAMPS.name], _say)
        debian.unpack(debian.download(package, ROOT / "debs", _say), STAMPS, _STAMPS_INSIDE, (".png", ".txt"))
    return folder


def _say(line: str) -> None:
    print(line, file=sys.stderr)
