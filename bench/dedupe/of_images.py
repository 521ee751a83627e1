"""Copies of pictures: found and missed, false alarms among real pictures, and the speed of hashing and of searching.

Photographs of Debian's opencv-doc (Apache-2.0) and of the scikit-image and scikit-learn wheels; stamps of
tuxpaint-stamps-default (GPL-2) and drawings of openclipart-png (public domain), as the demo chooses them. Peer:
ImageHash's pHash at most 10 of 64 bits apart, which is what imagededup takes by default for its pHash.
Pictures and peers are downloaded and never committed.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from bench.comparison import Comparison, in_turns
from bench.privacy.of_erasure import encoded, photographs
from bench.privacy.of_erasure import peers as hash_peers
from curate.decode import decode
from curate.dedupe.hamming import pairs
from curate.dedupe.image_near_duplicates import ImageNearDuplicates
from curate.dedupe.perceptual import CLEAR, NEAR, hashes
from curate.dedupe.spanning import Nodes, Spanning
from curate.demo.pictures import collect

PHASH_NEAR = 10
PLAIN, BOTH = ImageNearDuplicates(), ImageNearDuplicates(flips=True, crops=True)
Change = Callable[[Image.Image], bytes]
Pictures = Sequence[bytes]


def _cut(left: float, top: float, right: float, bottom: float) -> Change:
    def change(image: Image.Image) -> bytes:
        width, height = image.size
        box = (left * width, top * height, width - right * width, height - bottom * height)
        return encoded(image.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3]))))

    return change


def _scaled(factor: float) -> Change:
    return lambda i: encoded(i.resize((max(1, round(i.width * factor)), max(1, round(i.height * factor)))))


def _marked(image: Image.Image) -> bytes:
    """Write across the middle, in half-transparent white, letters a tenth of the height tall."""
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    place = (image.width / 2, image.height / 2)
    draw.text(place, "example.com", (255, 255, 255, 128), anchor="mm", font_size=max(8, image.height // 10))
    return encoded(Image.alpha_composite(image.convert("RGBA"), layer))


CHANGES: dict[str, Change] = {
    "JPEG at quality 90": lambda i: encoded(i, 90),
    "JPEG at quality 50": lambda i: encoded(i, 50),
    "JPEG at quality 20": lambda i: encoded(i, 20),
    "WebP at quality 60": lambda i: encoded(i, 60, "WEBP"),
    "PNG": lambda i: encoded(i, 90, "PNG"),
    "half the size": _scaled(0.5),
    "a quarter of the size": _scaled(0.25),
    "twice the size": _scaled(2),
    "30 % brighter": lambda i: encoded(ImageEnhance.Brightness(i).enhance(1.3)),
    "30 % darker": lambda i: encoded(ImageEnhance.Brightness(i).enhance(0.7)),
    "30 % more contrast": lambda i: encoded(ImageEnhance.Contrast(i).enhance(1.3)),
    "30 % less contrast": lambda i: encoded(ImageEnhance.Contrast(i).enhance(0.7)),
    "grey": lambda i: encoded(i.convert("L")),
    "writing across": _marked,
    "2 % cut, all edges": _cut(0.01, 0.01, 0.01, 0.01),
    "5 % cut, all edges": _cut(0.025, 0.025, 0.025, 0.025),
    "10 % cut, all edges": _cut(0.05, 0.05, 0.05, 0.05),
    "2 % cut at the bottom": _cut(0, 0, 0, 0.02),
    "5 % cut at the bottom": _cut(0, 0, 0, 0.05),
    "10 % cut at the left": _cut(0.1, 0, 0, 0),
    "left and right swapped": lambda i: encoded(ImageOps.mirror(i)),
    "top and bottom swapped": lambda i: encoded(ImageOps.flip(i)),
    "turned by 1 degree": lambda i: encoded(i.rotate(1, Image.Resampling.BICUBIC)),
    "turned by 2 degrees": lambda i: encoded(i.rotate(2, Image.Resampling.BICUBIC)),
}


def comparisons(quick: bool) -> Iterator[Comparison]:
    sys.path.append(str(hash_peers()))
    photos = photographs()[:: 3 if quick else 1]
    yield from _recall("photographs", photos)
    yield from _false_alarms("photographs", photos)
    yield from _hashing(photos)
    for count in (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000):
        yield from _searching(count)
    yield _dense(20_000 if quick else 100_000)
    if not quick:
        yield from _false_alarms("drawings", _drawings())


def _recall(of: str, pictures: Pictures) -> Iterator[Comparison]:
    import imagehash

    clear = [p for p, quality in zip(pictures, hashes(pictures).quality, strict=True) if quality >= CLEAR]
    yield Comparison(f"{of}: of {len(pictures)}, clear enough", len(clear) / len(pictures), None, "share", "")
    theirs = [imagehash.phash(_seen(p)) for p in clear]
    for name, change in CHANGES.items():
        copies = [change(_seen(p)) for p in clear]
        found = np.mean([a - imagehash.phash(_seen(c)) <= PHASH_NEAR for a, c in zip(theirs, copies, strict=True)])
        for how, stage in (("", PLAIN), (", flips and crops", BOTH)):
            labels = _clusters(stage, [*clear, *copies])
            ours = (labels[: len(clear)] == labels[len(clear) :]).mean()
            yield Comparison(f"{of}: found, {name}{how}", float(ours), float(found), "share", "")


def _seen(picture: bytes) -> Image.Image:
    image = decode(picture)
    if image is None:
        raise SystemExit("a picture cannot be read")
    return image


def _clusters(stage: ImageNearDuplicates, pictures: Pictures) -> Any:
    """Return int64[n], equal for pictures that the stage joins."""
    i, j = _joined(stage, pictures)
    spanning = Spanning(len(pictures))
    spanning.add(i, j)
    spanning.edges()
    return spanning.labels


def _joined(stage: ImageNearDuplicates, pictures: Pictures) -> tuple[Any, Any]:
    sketch = stage.open()(pa.table({"image": pa.array(pictures, pa.large_binary())}))
    payload = sketch.payload
    if payload is None or payload.null_count:
        raise SystemExit("a picture cannot be read")
    return stage.comparing().find(payload, payload)


def _false_alarms(of: str, pictures: Pictures) -> Iterator[Comparison]:
    """Count pairs that join pictures whose files differ; whether they are copies, a person has to say."""
    import imagehash

    theirs = np.array([imagehash.phash(_seen(p)).hash.ravel() for p in pictures])
    apart = (theirs[:, None] != theirs[None]).sum(axis=2)[np.triu_indices(len(pictures), 1)]
    for how, stage in (("", PLAIN), (", flips and crops", BOTH)):
        ours = len(_joined(stage, pictures)[0])
        what = f"{of}: joined of {len(pictures)} different files{how}"
        yield Comparison(what, ours, None, "pairs that join", "those that are copies", less_is_better=True)
    yield Comparison(f"{of}: pairs near by pHash", int((apart <= PHASH_NEAR).sum()), None, "pairs", "")


def _hashing(pictures: Pictures) -> Iterator[Comparison]:
    import imagehash

    peer = lambda: [imagehash.phash(_seen(p)) for p in pictures]  # noqa: E731
    table = pa.table({"image": pa.array(pictures, pa.large_binary())})
    for how, stage in (("", PLAIN), (", flips and crops", BOTH)):
        sketch = stage.open()
        ours, theirs = in_turns(lambda sketch=sketch: sketch(table), peer, 3)
        n = len(pictures)
        yield Comparison(f"hash a photograph, decoding it{how}", n / ours, n / theirs, "pictures/s", "as fast")


def _searching(count: int) -> Iterator[Comparison]:
    """Find all pairs of random hashes, a fifth of them drawn near another one."""
    draws = np.random.default_rng(count)
    drawn = draws.integers(0, 256, (count, 32), np.uint8)
    copies = count // 5
    drawn[:copies] = drawn[draws.integers(0, count, copies)]
    for start in range(0, copies, 10_000):
        some = slice(start, min(start + 10_000, copies))
        turned = draws.random((some.stop - start, 256), np.float32) < draws.random((some.stop - start, 1)) * 0.12
        drawn[some] ^= np.packbits(turned, axis=1)
    started = time.process_time()
    found = sum(len(i) for i, _ in pairs(drawn, None, NEAR))
    seconds = time.process_time() - started
    yield Comparison(f"find all {found} pairs of {count} hashes within {NEAR} bits", seconds, None, "CPU s", "")
    yield Comparison(f"compared, of {count} hashes", count * (count - 1) / 2 / seconds, None, "pairs/CPU s", "")


def _dense(count: int) -> Comparison:
    """Join hashes that are nearly all near one another."""
    draws = np.random.default_rng(0)
    drawn = np.packbits(draws.random((count, 256), np.float32) < 0.05, axis=1)
    spanning, itself = Spanning(count), np.arange(count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    for i, j in pairs(drawn, None, NEAR, Nodes(spanning, itself, itself)):
        spanning.add(i, j)
    joined = len(spanning.edges()[0])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    what = f"join {joined + 1} of {count} hashes that are all alike, {grown} MB"
    return Comparison(what, time.process_time() - started, None, "CPU s", "no more than n log n")


def _drawings() -> list[bytes]:
    """Return the demo's stamps and drawings on white, no larger than 640 pixels, each file once."""
    found = collect(Path("~/.cache/curate/demo").expanduser(), _say)
    files = dict.fromkeys(found.read(picture) for picture in found.pictures)
    images = (decode(data) for data in files)
    return [_shrunk(image) for image in images if image is not None and min(image.size) >= 32]


def _shrunk(image: Image.Image) -> bytes:
    image.thumbnail((640, 640))
    return encoded(image, 95)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
