"""Decoding pictures that nobody vouches for, and storing the ones that were touched without losing a pixel."""

import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""What a sample's `image` may hold; Pillow's rarer decoders stay closed."""
MAX_PIXELS = 64_000_000
"""192 MB once decoded."""
WEBP_SIDE = 16_383
"""Pixels that WebP can count."""
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error,
    zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow's decoders raise on broken bytes."""
_PLAIN = {"1": "L", "CMYK": "RGB", "YCbCr": "RGB", "HSV": "RGB", "LAB": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}


def decode(data: bytes) -> Image.Image | None:
    """Return the first frame, in a mode whose pixels are its values; None if it is broken or over MAX_PIXELS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return None if image.width * image.height > MAX_PIXELS else _plain(image)
        except BROKEN:
            return None


def _plain(image: Image.Image) -> Image.Image:
    """Spell out palettes and inks; everything else keeps its mode, 16-bit greys too."""
    image.load()
    if image.mode == "P" or (image.mode in {"1", "L", "RGB"} and image.has_transparency_data):
        plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    else:
        plain = image.convert(_PLAIN[image.mode]) if image.mode in _PLAIN else image.copy()
    profile = image.info.get("icc_profile") if plain.mode[:3] == image.mode[:3] or image.mode == "P" else None
    plain.info = {"icc_profile": profile} if profile else {}
    return plain


def seen(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return uint8[height, width, 3], RGB on white: what a person sees."""
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64) >> 8
        return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if image.mode in {"LA", "RGBA"}:
        cut_out = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", cut_out.size, "white"), cut_out)
    return np.asarray(image.convert("RGB"))


def encode_lossless(image: Image.Image, image_format: str) -> tuple[bytes, str]:
    """Return a touched picture's bytes and format: PNG stays PNG and takes GIF's place, all else becomes WebP.

    Every pixel is stored as it is, which JPEG could not; a touched photograph takes two to five times its bytes.
    """
    stream = io.BytesIO()
    options: dict[str, Any] = {str(name): value for name, value in image.info.items()}
    if image_format in {"png", "gif"} or max(image.size) > WEBP_SIDE or image.mode.startswith("I"):
        image.save(stream, "PNG", **options)
        return stream.getvalue(), "png"
    image.save(stream, "WEBP", lossless=True, quality=60, method=4, exact=True, **options)
    return stream.getvalue(), "webp"
