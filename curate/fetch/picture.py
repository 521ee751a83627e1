"""Checks of a picture's bytes, the same wherever they come from: format, size, wholeness, metadata."""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from curate.fetch.metadata import sniff, strip_metadata
from curate.sample import column
from curate.stage import Edited

WRITES = tuple(
    column(name) for name in ("image", "image_format", "width", "height", "original_width", "original_height", "sha256")
)
UNREADABLE = frozenset({"not_an_image", "truncated_image", "broken_image", "too_many_pixels"})
MOST_PIXELS = 89_478_485
"""Above this Pillow warns of a decompression bomb, so whatever reads the corpus later would too."""

# Built directly, not through `Image.open`: it would try other formats, and warn instead of refusing.
_DECODERS: dict[str, Callable[[io.BytesIO], Image.Image]] = {
    "jpg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "gif": GifImagePlugin.GifImageFile,
}
# What Pillow's readers raise on hostile bytes; `Image.open` itself expects most of these from them.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True)
class Picture:
    """A checked picture: what a sample stores."""

    image: bytes
    image_format: str
    width: int
    height: int
    original_width: int
    original_height: int


def check_picture(data: bytes, max_pixels: int) -> Picture | str:
    """Return the picture without metadata, pixels untouched, or the reason why it cannot be used.

    Sizes come from the headers before anything is decoded; of an animation the first frame is decoded.
    """
    image_format = sniff(data)
    if image_format is None:
        return "not_an_image"
    stripped = strip_metadata(data, image_format)
    if isinstance(stripped, str):
        return stripped
    if stripped.largest_area > max_pixels:
        return "too_many_pixels"
    width, height = stripped.width, stripped.height
    fault = _decode_fault(stripped.data, image_format, (width, height))
    return fault or Picture(stripped.data, image_format, width, height, width, height)


def _decode_fault(data: bytes, image_format: str, size: tuple[int, int]) -> str | None:
    try:
        with _DECODERS[image_format](io.BytesIO(data)) as image:
            if image.size != size:
                return "broken_image"
            image.load()
    except _DECODE_ERRORS as error:
        return "truncated_image" if "truncated" in str(error) else "broken_image"
    return None


def edited(outcomes: Sequence[Picture | str]) -> Edited:
    """Return the columns for n pictures; a row whose outcome is a reason is null and failed."""
    rows = [None if isinstance(outcome, str) else picture_row(outcome) for outcome in outcomes]
    columns = [pa.array([row and row[field.name] for row in rows], field.type) for field in WRITES]
    failed = pa.array([outcome if isinstance(outcome, str) else None for outcome in outcomes], pa.string())
    return Edited(pa.table(columns, schema=pa.schema(WRITES)), failed=failed)


def picture_row(picture: Picture) -> dict[str, object]:
    """Return the columns of WRITES."""
    return vars(picture) | {"sha256": hashlib.sha256(picture.image).hexdigest()}
