"""Untrusted picture bytes to the square pixels a CLIP tower takes."""

import io
import struct
import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)
_MEAN_COLOUR = tuple(int(m * 255) for m in _MEAN)
# What Pillow's decoders of these formats raise on broken bytes; anything else is a fault of ours and stops the run.
_BROKEN = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error)


def decode(data: bytes, side: int, max_pixels: int) -> NDArray[np.uint8] | str:
    """Return uint8[side, side, 3], or the reason why there is none.

    What is transparent becomes white; the shorter side is padded with CLIP's mean colour (LLaVA 1.5, arXiv 2310.03744).
    We shrink first and pad then, so that a very long picture takes no more memory than a square one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd files; its limit on pixels is replaced by ours
            with Image.open(io.BytesIO(data), formats=sorted(set(FORMATS.values()))) as picture:
                if picture.width * picture.height > max_pixels:
                    return "picture_too_large"
                return np.asarray(_square(picture, side))
    except Image.DecompressionBombError:
        return "picture_too_large"
    except _BROKEN:
        return "picture_unreadable"


def normalised(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Scale uint8[n, side, side, 3] to float32[n, 3, side, side] with CLIP's mean 0 and deviation 1."""
    scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    return ((scaled - torch.tensor(_MEAN).view(3, 1, 1)) / torch.tensor(_STD).view(3, 1, 1)).contiguous()


def blank(count: int, side: int) -> torch.Tensor:
    """Return float32[count, 3, side, side] of the mean colour, which tells nothing."""
    return torch.zeros(count, 3, side, side)


def _square(picture: Image.Image, side: int) -> Image.Image:
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    coloured = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small = _opaque(coloured.resize((width, height), Image.Resampling.BICUBIC))
    canvas = Image.new("RGB", (side, side), _MEAN_COLOUR)
    canvas.paste(small, ((side - width) // 2, (side - height) // 2))
    return canvas


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
