"""Finding a person's pictures and samples again, and removing them: what is found, what is missed, and how fast.

Pictures: the photographs of Debian's opencv-doc and of the scikit-image and scikit-learn wheels, changed the ways that
copies are. Peers: ImageHash's pHash (64 bits, at most 8 of them apart, as many as an eighth), and pdqhash, the
reference's own C++ behind a binding, for whether our bits are its bits. Both are downloaded and never committed.
"""

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from bench.comparison import Comparison, in_turns
from curate.dedupe.perceptual import CLEAR, NEAR, distances, hashes, lookalikes, luminance
from curate.demo import debian, wheels
from curate.erase import Asked, forget, rewrite, selector
from curate.recipe import parse_recipe
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.shards import Manifest

ROOT = Path("~/.cache/curate/bench").expanduser()
PEERS = ("ImageHash==4.3.2", "pdqhash==0.2.8")
PHASH_NEAR = 8
Change = Callable[[Image.Image], bytes]


def encoded(image: Image.Image, quality: int = 90, kind: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    image.convert("RGB").save(stream, kind, quality=quality)
    return stream.getvalue()


def _cut(share: float) -> Change:
    def change(image: Image.Image) -> bytes:
        x, y = int(image.width * share / 2), int(image.height * share / 2)
        return encoded(image.crop((x, y, image.width - x, image.height - y)))

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "JPEG at quality 50": (lambda i: encoded(i, 50), "0.95"),
    "JPEG at quality 20": (lambda i: encoded(i, 20), "0.95"),
    "WebP at quality 60": (lambda i: encoded(i, 60, "WEBP"), "0.95"),
    "half the size": (lambda i: encoded(i.resize((i.width // 2, i.height // 2))), "0.9"),
    "a quarter of the size": (lambda i: encoded(i.resize((i.width // 4, i.height // 4))), "0.9"),
    "squeezed to 256 x 256": (lambda i: encoded(i.resize((256, 256))), "0.9"),
    "30 % brighter": (lambda i: encoded(ImageEnhance.Brightness(i).enhance(1.3)), "0.95"),
    "30 % darker": (lambda i: encoded(ImageEnhance.Brightness(i).enhance(0.7)), "0.95"),
    "grey": (lambda i: encoded(i.convert("L")), "0.95"),
    "cut by 2 %": (_cut(0.02), "0.8"),
    "cut by 5 %": (_cut(0.05), "stated, not promised"),
    "cut by 10 %": (_cut(0.1), "stated, not promised"),
    "turned by 5 degrees": (lambda i: encoded(i.rotate(5)), "stated, not promised"),
}


def comparisons(quick: bool) -> Iterator[Comparison]:
    pictures = photographs()[: 30 if quick else None]
    sys.path.append(str(peers()))
    originals = hashes(pictures)
    clear = [p for p, quality in zip(pictures, originals.quality, strict=True) if quality >= CLEAR]
    yield Comparison("photographs clear enough for a hash", len(clear) / len(pictures), None, "share", "0.95")
    yield from _like_the_reference(clear)
    yield from _found(clear)
    yield from _apart(clear)
    yield from _speed(clear)
    yield from _a_run(300 if quick else 3000)


def photographs() -> list[bytes]:
    """Return the files' bytes, sorted by name, equal ones once."""
    folder, inside = ROOT / "erasure", "usr/share/doc/opencv-doc/examples/data"
    if not folder.exists():
        (package,) = debian.find(["opencv-doc"], _say)
        debian.unpack(debian.download(package, folder, _say), folder, inside, (".jpg",))
    files = sorted(folder.rglob("*.jpg"))
    wheel = [data for _, (data, _) in sorted(wheels.photographs(ROOT / "wheels").items())]
    return [p for p in dict.fromkeys([*(f.read_bytes() for f in files), *wheel]) if luminance(p) is not None]


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def peers() -> Path:
    folder = ROOT / "hashes"
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        subprocess.run([*pip, *PEERS], check=True)
    return folder


def opened(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture)) as image:
        return image.convert("RGB")


def _like_the_reference(pictures: Sequence[bytes]) -> Iterator[Comparison]:
    import pdqhash

    apart = []
    for picture in pictures:
        image = opened(picture)
        image.thumbnail((512, 512), Image.Resampling.BOX)
        bits, _ = pdqhash.compute(np.asarray(image))
        apart.append(int((np.unpackbits(hashes([encoded_whole(image)]).bits[0]) != bits).sum()))
    same = sum(a == 0 for a in apart) / len(apart)
    yield Comparison("our 256 bits are those of the reference", same, None, "share of photographs", "0.95")
    yield Comparison(
        "bits apart from the reference, at most", max(apart), None, "of 256", "below 8", less_is_better=True
    )


def encoded_whole(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _found(pictures: Sequence[bytes]) -> Iterator[Comparison]:
    import imagehash

    mine = [lookalikes(p) for p in pictures]
    peers = [imagehash.phash(opened(p)) for p in pictures]
    for name, (change, goal) in CHANGES.items():
        copies = [change(opened(p)) for p in pictures]
        ours = np.array([distances(a, b[None]).min() <= NEAR for a, b in zip(mine, hashes(copies).bits, strict=True)])
        theirs = [a - imagehash.phash(opened(c)) <= PHASH_NEAR for a, c in zip(peers, copies, strict=True)]
        yield Comparison(f"copies found: {name}", ours.mean(), float(np.mean(theirs)), "share", goal)
    mirrored = hashes([encoded(ImageOps.mirror(opened(p))) for p in pictures]).bits
    any_turn = [
        distances(lookalikes(p, any_turn=True), m[None]).min() <= NEAR for p, m in zip(pictures, mirrored, strict=True)
    ]
    yield Comparison("copies found: mirrored, with --any-turn", float(np.mean(any_turn)), None, "share", "0.95")


def _apart(pictures: Sequence[bytes]) -> Iterator[Comparison]:
    import imagehash

    pairs = np.triu_indices(len(pictures), 1)
    mine, wanted = hashes(pictures).bits, [lookalikes(p) for p in pictures]
    ours = sum((distances(one, mine).min(axis=0) <= NEAR).sum() - 1 for one in wanted)
    peers = [imagehash.phash(opened(p)) for p in pictures]
    theirs = sum(peers[a] - peers[b] <= PHASH_NEAR for a, b in zip(*pairs, strict=True))
    what = f"pairs of {len(pairs[0])} different photographs taken for one"
    yield Comparison(what, float(ours) / 2, float(theirs), "pairs", "those that are one picture", less_is_better=True)


def _speed(pictures: Sequence[bytes]) -> Iterator[Comparison]:
    import imagehash

    ours, theirs = in_turns(lambda: hashes(pictures), lambda: [imagehash.phash(opened(p)) for p in pictures], 3)
    n = len(pictures)
    yield Comparison("hash a photograph, decoding it", n / ours, n / theirs, "pictures/s", "as fast")


def _a_run(count: int) -> Iterator[Comparison]:
    """Forget 20 addresses and a picture in a run over drawn pictures, and rewrite it."""
    with tempfile.TemporaryDirectory() as root:
        run = _drawn(Path(root), count)
        pictures = Manifest.load(run.folder).samples
        asked = [selector("url", f"{n:05d}.jpg") for n in range(0, 20 * 7, 7)]
        yield Comparison("search a run for addresses", *_rate(count, run, asked), "samples/s", "stated")
        image = [selector("image", f"{root}/pictures/{count - 5:05d}.jpg")]
        yield Comparison("search a run for a picture", *_rate(count, run, image), "samples/s", "stated")
        forget(run, Asked((*asked, *image), request="bench"), _quiet)
        bytes_before = sum(e.bytes for e in Manifest.load(run.folder).shards)
        started = time.perf_counter()
        rewrite(run, [], _quiet)
        seconds = time.perf_counter() - started
        told: dict[str, Any] = json.loads(run.folder.read("erasures/bench.json"))["rewritten"][0]
        share = len(told["shards"]) / len(Manifest.load(run.folder).shards)
        yield Comparison("shards written anew for 21 samples", share, None, "share of all", "those touched")
        yield Comparison(f"rewrite a run of {pictures} samples, {bytes_before >> 20} MB", seconds, None, "s", "stated")


def _rate(count: int, run: Run, asked: Sequence[Any]) -> tuple[float, None]:
    started = time.perf_counter()
    found = forget(run, Asked(tuple(asked)), _quiet, dry_run=True)
    if len(found.new) != len(asked):
        raise SystemExit(f"{len(found.new)} samples were found for {len(asked)} selectors")
    return count / (time.perf_counter() - started), None


def _quiet(_event: dict[str, Any]) -> None:
    pass


def _drawn(root: Path, count: int) -> Run:
    folder = root / "pictures"
    folder.mkdir()
    for n in range(count):
        draws = np.random.default_rng(n)
        noise = [Image.fromarray(draws.integers(0, 256, (s, s, 3), np.uint8)).resize((256, 256)) for s in (4, 16, 64)]
        Image.blend(Image.blend(noise[0], noise[1], 0.4), noise[2], 0.2).save(folder / f"{n:05d}.jpg", quality=85)
        (folder / f"{n:05d}.txt").write_text(f"clouds number {n}")
    text = f"""
name: bench
source: {{image_folder: {{path: {folder}, partition_size: 500}}}}
stages: [exact_duplicates]
sink: {{webdataset: {{samples_per_shard: 100}}}}
"""
    run = Run.at(str(root / "run"))
    execute(parse_recipe(text.encode(), "bench.yaml"), run, LocalRunner, _quiet)
    return run
