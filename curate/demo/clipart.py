"""Choosing from Open Clip Art: titled drawings, and the dirt that came with them.

The collection is 8,121 drawings with exact copies, near copies, icons of 16 pixels and drawings whose 3 MB unpack to
2 GB of pixels. A real list of URLs has all of these, so the demo takes some of each.
"""

import hashlib
import html
import io
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

from PIL import Image

ORDINARY, COPIED, ALIKE, TINY, BOMBS = 200, 30, 25, 30, 3
"""Drawings, groups of exact copies, pairs of near copies, icons and decompression bombs to take."""

MAX_BYTES = 300_000
ICON_SIDE = 32  # pixels: a drawing smaller than this is an icon
USUAL_SIDE = 64  # pixels: one at least this large can be looked at
BOMB_PIXELS = 178_956_970
"""Pillow's own limit for a decompression bomb: 2 * 89,478,485 pixels."""

_TITLE = re.compile(r"<dc:title[^>]*>\s*([^<]+?)\s*</dc:title>")


def choose(drawings: Path, sources: Path) -> dict[str, str]:
    """Return {path below `drawings`: title} of about 400 PNG files; titles stand in the SVG files below `sources`."""
    titles = {path: title for path in _names(drawings) if (title := _title(sources / path)) is not None}
    sizes = {path: _png_size(drawings / path) for path in titles}
    small = [path for path in titles if (drawings / path).stat().st_size <= MAX_BYTES]
    bombs = sorted((p for p, (w, h) in sizes.items() if w * h > BOMB_PIXELS), key=_rank)[:BOMBS]
    tiny = sorted((p for p in small if min(sizes[p]) < ICON_SIDE), key=_rank)[:TINY]
    usual = [path for path in small if min(sizes[path]) >= USUAL_SIDE]
    picked = {*bombs, *tiny, *_exact_copies(drawings, usual), *_near_copies(drawings, usual), *_ordinary(titles, usual)}
    return {path: titles[path] for path in sorted(picked)}


def _names(drawings: Path) -> Iterator[str]:
    return (str(path.relative_to(drawings)) for path in sorted(drawings.rglob("*.png")))


def _title(source: Path) -> str | None:
    svg = source.with_suffix(".svg")
    found = _TITLE.search(svg.read_text("utf-8", errors="replace")) if svg.is_file() else None
    return html.unescape(found.group(1)) if found else None


def _png_size(path: Path) -> tuple[int, int]:
    """Return width and height from the PNG header, in pixels: a bomb must not be decoded to be measured."""
    with path.open("rb") as stream:
        width, height = struct.unpack(">II", stream.read(24)[16:])
    return width, height


def _rank(path: str) -> bytes:
    """Order paths as if shuffled, the same on every machine."""
    return hashlib.blake2b(path.encode(), digest_size=8).digest()


def _ordinary(titles: dict[str, str], usual: Iterable[str]) -> list[str]:
    """Take drawings whose title is their own: two to eight words, on at most three drawings."""
    times = Counter(titles.values())
    own = (p for p in usual if 2 <= len(titles[p].split()) <= 8 and times[titles[p]] <= 3)  # noqa: PLR2004 - as stated
    return sorted(own, key=_rank)[:ORDINARY]


def _exact_copies(drawings: Path, usual: Iterable[str]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for path in usual:
        groups[hashlib.sha256((drawings / path).read_bytes()).hexdigest()].append(path)
    copied = sorted((paths for paths in groups.values() if len(paths) > 1), key=lambda paths: _rank(paths[0]))
    return [path for paths in copied[:COPIED] for path in paths[:3]]


def _near_copies(drawings: Path, usual: Iterable[str]) -> list[str]:
    """Take pairs of numbered variants (`x_01`, `x_02`) whose pixels differ and whose difference hashes nearly agree."""
    variants: dict[str, list[str]] = defaultdict(list)
    for path in usual:
        variants[re.sub(r"_?\d+$", "", Path(path).stem) + str(Path(path).parent)].append(path)
    pairs: list[str] = []
    for paths in sorted((found for found in variants.values() if len(found) > 1), key=lambda found: _rank(found[0])):
        pair = next((p for p in combinations(paths[:4], 2) if _alike(drawings / p[0], drawings / p[1])), None)
        pairs.extend(pair or ())
        if len(pairs) >= 2 * ALIKE:
            break
    return pairs


def _alike(one: Path, other: Path) -> bool:
    first, second = one.read_bytes(), other.read_bytes()
    return first != second and (_difference_hash(first) ^ _difference_hash(second)).bit_count() <= 4  # noqa: PLR2004


def _difference_hash(picture: bytes) -> int:
    """Return 64 bits that tell whether each of 9 x 8 grey cells is brighter than its right neighbour."""
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    grey = Image.alpha_composite(white, image).convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = (grey[row * 9 + i] > grey[row * 9 + i + 1] for row in range(8) for i in range(8))
    return sum(bit << place for place, bit in enumerate(bits))
