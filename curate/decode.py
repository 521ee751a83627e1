"""Decoding pictures that nobody vouches for."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable

from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")  # what a sample's `image` may hold; Pillow's rarer decoders stay closed
MAX_PIXELS = 64_000_000  # 192 MB once decoded
# What Pillow's decoders raise on broken bytes.
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error,
    zlib.error,
)  # fmt: skip
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def on_white(image: Image.Image) -> Image.Image:
    """Return what a person sees, in RGB."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    cut_out = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", cut_out.size, "white"), cut_out).convert("RGB")


def decode(data: bytes, convert: Callable[[Image.Image], Image.Image] = on_white) -> Image.Image | None:
    """Return the first frame as `convert` makes it; None if it is broken or over MAX_PIXELS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return None if image.width * image.height > MAX_PIXELS else convert(image)
        except (*BROKEN, *BOMB):
            return None
