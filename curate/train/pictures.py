"""Untrusted picture bytes to the square pixels that a vision tower takes."""

import io
import math
import random
import struct
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from curate.train.config import Fit
from curate.train.template import Unusable

FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
_RATIOS = (0.75, 4 / 3)
"""Ratios of width to height that random_crop draws from (Szegedy et al. 2014, arXiv 1409.4842)."""
_TRIES = 10
# What Pillow's decoders of these formats raise on broken bytes; anything else is a fault of ours and stops the run.
_BROKEN = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error)


@dataclass(frozen=True)
class Transform:
    """How a picture becomes the pixels of one tower."""

    side: int
    fit: Fit = "pad"
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    max_pixels: int = 50_000_000
    least_crop: float = 0.5

    @property
    def repeats(self) -> bool:
        """Whether a picture always gives the same pixels."""
        return self.fit != "random_crop"

    def decode(self, data: bytes, draw: random.Random) -> NDArray[np.uint8]:
        """Return uint8[side, side, 3]; what is transparent becomes white.

        Raises:
            Unusable: the bytes are no whole picture of a known format, or one of more than `max_pixels`.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # Pillow's remarks on odd files; its limit on pixels is replaced by ours
                with Image.open(io.BytesIO(data), formats=sorted(set(FORMATS.values()))) as picture:
                    if picture.width * picture.height > self.max_pixels:
                        raise Unusable("picture_too_large")
                    coloured = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
                    return np.asarray(_opaque(self._square(coloured, draw)))
        except Image.DecompressionBombError:
            raise Unusable("picture_too_large") from None
        except _BROKEN:
            raise Unusable("picture_unreadable") from None

    def normalised(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Scale uint8[n, side, side, 3] to float32[n, 3, side, side], mean 0 and deviation 1 over the tower's data."""
        scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        return ((scaled - torch.tensor(self.mean).view(3, 1, 1)) / torch.tensor(self.std).view(3, 1, 1)).contiguous()

    def blank(self, count: int) -> torch.Tensor:
        """Return float32[count, 3, side, side] of the mean colour, which tells nothing."""
        return torch.zeros(count, 3, self.side, self.side)

    def _square(self, picture: Image.Image, draw: random.Random) -> Image.Image:
        side = (self.side, self.side)
        if self.fit == "pad":
            return self._padded(picture)
        if self.fit == "squeeze":
            return picture.resize(side, Image.Resampling.BICUBIC)
        if self.fit == "crop":
            return picture.resize(side, Image.Resampling.BICUBIC, box=_middle(picture.size))
        drawn = picture.resize(side, Image.Resampling.BICUBIC, box=_drawn(picture.size, self.least_crop, draw))
        return drawn.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if draw.random() < 0.5 else drawn  # noqa: PLR2004

    def _padded(self, picture: Image.Image) -> Image.Image:
        """Pad the shorter side with the mean colour (LLaVA 1.5, arXiv 2310.03744).

        We shrink first and pad then, so that a very long picture takes no more memory than a square one.
        """
        scale = self.side / max(picture.size)
        width, height = (max(1, round(length * scale)) for length in picture.size)
        small = _opaque(picture.resize((width, height), Image.Resampling.BICUBIC))
        canvas = Image.new("RGB", (self.side, self.side), tuple(int(m * 255) for m in self.mean))
        canvas.paste(small, ((self.side - width) // 2, (self.side - height) // 2))
        return canvas


def _middle(size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size
    least = min(size)
    left, top = (width - least) / 2, (height - least) / 2
    return left, top, left + least, top + least


def _drawn(size: tuple[int, int], least: float, draw: random.Random) -> tuple[float, float, float, float]:
    """Draw a box of `least` to all of the area; the middle one where ten draws do not fit."""
    for _ in range(_TRIES):
        area = size[0] * size[1] * draw.uniform(least, 1)
        ratio = math.exp(draw.uniform(*map(math.log, _RATIOS)))
        width, height = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if width <= size[0] and height <= size[1]:
            left, top = draw.uniform(0, size[0] - width), draw.uniform(0, size[1] - height)
            return left, top, left + width, top + height
    return _middle(size)


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
