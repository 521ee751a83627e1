"""The rows planted in the demo's list: every fault that lists of URLs have in practice, and what must become of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

from PIL import Image

from curate.demo.damage import cropped, pixel_bomb, resized, truncated_jpeg
from curate.demo.pictures import Collection, Picture
from curate.demo.planted import PLANTED

FOLDER = "planted"
"""Where the files of planted rows lie, beside the real pictures."""

TOXIC = (
    "You are a stupid idiot and nobody likes you.",
    "What an ugly, disgusting, worthless idiot he is.",
    "This dumb loser is too stupid to breathe.",
    "I hate you, you filthy liar, and I hope you rot.",
)
FOREIGN = (
    "Ein großer grauer Reiher steht am Ufer des Sees.",
    "Un vieux bateau de pêche amarré dans le port.",
    "Dos niños juegan con una pelota en la playa.",
)
TRUE_CAPTIONS = {
    "debian": ("tuxpaint/animals/mammals/equines/zebra.png", "A zebra with black and white stripes."),
    "wheels": ("wheels/coffee.png", "A cup of coffee with a spoon beside it."),
}
"""For rows that must be kept: a picture and a caption that every filter passes."""

OTHER_CAPTIONS = {
    "debian": (
        ("tuxpaint/animals/birds/tucan.png", "The Eiffel tower in Paris."),
        ("tuxpaint/animals/mammals/equines/zebra.png", "A walnut in its shell."),
        ("tuxpaint/hobbies/music/string/guitar2.png", "A flower covered in dew drops."),
        ("tuxpaint/vehicles/auto/truck.png", "A stethoscope lets your doctor listen to your heart and lungs."),
    ),
    "wheels": (
        ("wheels/page.png", "Rectified stereo image pair with ground-truth disparities."),
        ("wheels/rocket.jpg", "Immunohistochemical (IHC) staining with hematoxylin counterstaining."),
    ),
}
"""Pictures with the caption of another; each pair scores below 0.01 with the demo's model, true ones 0.25 (median)."""


@dataclass(frozen=True)
class Fault:
    """One planted row, and the line about it that the ledger must have."""

    what: str
    path: str
    """Of the URL on the demo's server, or a whole URL."""
    caption: str
    stage: str
    """Empty where the row is kept to the end."""
    event: str
    reason: str

    def url(self, address: str) -> str:
        """Return the URL as the list spells it; the address is `http://host:port`."""
        return urljoin(f"{address}/", self.path)


def plant(collection: Collection) -> tuple[Fault, ...]:
    """Write the files that planted rows point at below the collection's folder; return the rows in order."""
    fresh = _fresh_pictures(collection)
    return (
        *_of_web(collection, fresh),
        *_of_files(collection, fresh),
        *_copies(collection),
        *_of_captions(collection, fresh),
        *_mismatched(collection),
    )


def _of_web(collection: Collection, fresh: Iterator[tuple[str, Picture]]) -> Iterator[Fault]:
    """Servers that err, stall, flood or send the visitor where it must not go."""
    path, caption = _true(collection, "recovers", 1)
    recovering = path.replace("files/", "flaky/", 1)
    yield Fault("500 twice, then the picture", recovering, caption, "", "kept", "")
    for what, address, reason in (
        ("404", "missing/{}", "http_404"),
        ("a byte every half second", "drip/{}", "timeout"),
        ("a body without end", "endless/{}", "too_large"),
        ("a redirect loop", "loop/a/{}", "redirect_loop"),
        ("a redirect to a private address", "elsewhere/10.0.0.1/{}", "private_address"),
        ("a redirect to a cloud's metadata", "elsewhere/169.254.169.254/latest/meta-data/{}", "private_address"),
        ("another port of this machine", "http://127.0.0.1:9/{}", "private_address"),
        ("a page that says it is a picture", "page/{}", "not_an_image"),
    ):
        file, picture = next(fresh)
        yield Fault(what, address.format(Path(file).name), picture.caption, "fetch", "failed", reason)


def _of_files(collection: Collection, fresh: Iterator[tuple[str, Picture]]) -> Iterator[Fault]:
    """Files that arrive whole and are no use."""
    for what, damage, suffix, stage, event, reason in (
        ("a truncated JPEG", truncated_jpeg, ".jpg", "fetch", "failed", "truncated_image"),
        ("a pixel bomb", lambda _: pixel_bomb(), ".png", "fetch", "failed", "too_many_pixels"),
        ("a tiny picture", lambda p: resized(p, 24, 24), ".png", "short_side", "dropped", "below_at_least"),
        ("a banner", lambda p: resized(p, 800, 80), ".png", "aspect_ratio", "dropped", "above_at_most"),
    ):
        file, picture = next(fresh)
        damaged = Path(file).with_suffix(suffix).name
        path = _write(collection, damaged, damage(collection.read(picture)))
        yield Fault(what, path, f"Here you can see this: {picture.caption}", stage, event, reason)


def _copies(collection: Collection) -> Iterator[Fault]:
    """The same bytes at three addresses: the first is kept."""
    path, caption = _true(collection, "copied", 2)
    yield Fault("the first of three equal files", path, caption, "", "kept", "")
    original = (collection.folder / path.removeprefix("files/")).read_bytes()
    for name in ("copied-again.png", "copied-once-more.png"):
        copy = _write(collection, name, original)
        yield Fault("a copy at another address", copy, caption, "exact_duplicates", "dropped", "exact_duplicate")


def _of_captions(collection: Collection, fresh: Iterator[tuple[str, Picture]]) -> Iterator[Fault]:
    """Good pictures whose captions are too short, abusive, in another language or tell about a person."""
    faults = [("a caption of one word", "Thing", "caption_words", "dropped", "below_at_least")]
    faults += [("an abusive caption", text, "toxicity", "dropped", "above_at_most") for text in TOXIC]
    faults += [("a caption in another language", text, "language", "dropped", "other_language") for text in FOREIGN]
    for what, caption, stage, event, reason in faults:
        file, picture = next(fresh)
        yield Fault(what, _file(collection, file, picture), caption, stage, event, reason)
    for planted in PLANTED:
        file, picture = next(fresh)
        caption = planted.caption(picture.caption)
        path = _file(collection, file, picture)
        yield Fault(f"a caption with {planted.kind}", path, caption, "redact_pii", "edited", planted.kind)


def _mismatched(collection: Collection) -> Iterator[Fault]:
    """Pictures with the captions of others."""
    for number, (path, caption) in enumerate(OTHER_CAPTIONS[collection.origin]):
        data = (collection.folder / path).read_bytes()
        file = _write(collection, f"mismatched-{number}.png", cropped(data, number + 3))
        yield Fault("the caption of another picture", file, caption, "alignment", "dropped", "below_at_least")


def _true(collection: Collection, name: str, pixels: int) -> tuple[str, str]:
    path, caption = TRUE_CAPTIONS[collection.origin]
    data = (collection.folder / path).read_bytes()
    return _write(collection, f"{name}.png", cropped(data, pixels)), caption


def _fresh_pictures(collection: Collection) -> Iterator[tuple[str, Picture]]:
    """Yield (new file name, picture to make it from) without end, pictures of usual size in a shuffled order.

    The name begins with the pixels to crop, from 10, so that no other planted file comes to the same bytes.
    """
    usual = sorted((p for p in collection.pictures if _is_usual(collection, p)), key=lambda p: _rank(p.path))
    number = 9
    while True:
        for picture in usual:
            number += 1
            yield f"{number:03}-{Path(picture.path).stem}.png", picture


def _is_usual(collection: Collection, picture: Picture) -> bool:
    if not picture.is_photograph or not 2 <= len(picture.caption.split()) <= 8:  # noqa: PLR2004 - words of a plain caption
        return False
    with Image.open(collection.folder / picture.path) as image:
        return min(image.size) >= 120 and max(image.size) < 2 * min(image.size)  # noqa: PLR2004 - pixels


def _rank(path: str) -> bytes:
    return hashlib.blake2b(path.encode(), digest_size=8).digest()


def _file(collection: Collection, name: str, picture: Picture) -> str:
    """Write a copy of a picture whose bytes no other row has; return its URL path."""
    return _write(collection, name, cropped(collection.read(picture), int(name[:3])))


def _write(collection: Collection, name: str, data: bytes) -> str:
    target = collection.folder / FOLDER / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(data)
    return quote(f"files/{FOLDER}/{name}")
