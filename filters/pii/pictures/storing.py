"""Decoding pictures that nobody vouches for, and storing the ones that were touched without losing a pixel."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from curate.decode import BROKEN, on_white
from curate.decode import decode as decode_as

WEBP_SIDE = 16_383
"""Pixels that WebP can count."""
ORIENTATION = 0x0112
"""Exif's tag for the way up, TIFF 6.0: 1 is upright, 2 to 8 are turned or mirrored."""
_PLAIN = {"1": "L", "CMYK": "RGB", "YCbCr": "RGB", "HSV": "RGB", "LAB": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}


def decode(data: bytes) -> Image.Image | None:
    """Return the first frame, in a mode whose pixels are its values; None if it is broken or over MAX_PIXELS."""
    return decode_as(data, _plain)


def _plain(image: Image.Image) -> Image.Image:
    """Spell out palettes and inks; everything else keeps its mode, 16-bit greys too."""
    image.load()
    if image.mode == "P" or (image.mode in {"1", "L", "RGB"} and image.has_transparency_data):
        plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    else:
        plain = image.convert(_PLAIN[image.mode]) if image.mode in _PLAIN else image.copy()
    profile = image.info.get("icc_profile") if plain.mode[:3] == image.mode[:3] or image.mode == "P" else None
    told = {"icc_profile": profile, "exif": _turned(image)}
    plain.info = {name: value for name, value in told.items() if value}
    return plain


def _turned(image: Image.Image) -> bytes | None:
    """Return Exif that says the way up and nothing else, None where a picture is upright or its Exif unreadable.

    A viewer turns a picture by it, so a stored one without it would lie on its side.
    """
    try:
        orientation = image.getexif().get(ORIENTATION)
    except BROKEN:
        return None
    if orientation not in range(2, 9):
        return None
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif.tobytes()


def seen(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return uint8[height, width, 3], RGB on white: what a person sees."""
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64) >> 8
        return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return np.asarray(on_white(image))


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
