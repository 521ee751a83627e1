"""PDQ, a hash of what a picture looks like: re-encoded, resized or brightened copies differ in few of its 256 bits.

Source: Facebook, The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm (2019): luminance, two
passes of a box filter ("Jarosz"), 64x64 samples, 16x16 of their DCT's coefficients without the constant ones, one bit
each for above the median. Pictures are shrunk to 512 pixels first, as in the reference implementation.

Filter and samples stand a little beside the middle, by a share of the picture that depends on its size. So what looks
for one picture among many does best to hash it as it would look smaller and cut, see `lookalikes`.
"""

import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.decode import BOMB, BROKEN, FORMATS, on_white

BITS = 256
NEAR = 31
"""Bits in which two hashes may differ and still be called the same picture: the paper's own choice."""
CLEAR = 50
"""Quality from which a hash means something: the paper's own choice. Flat pictures have less."""
_LONGEST = 512
_SIDE, _KEPT = 64, 16
_LENGTHS = (384, 256, 192, 128, 96, 64)
_CUTS = (0.0, 0.025, 0.05, 0.075, 0.1)
"""Shares of width and height."""
_WEIGHTS = np.array([19595, 38470, 7471], np.float32)
"""Of red, green and blue in luminance (ITU-R BT.601), in 65536ths: whole numbers, whose sums are exact."""
_WHOLE = 144
_MOST_PIXELS = 200_000_000


@dataclass(frozen=True)
class Hashes:
    """The hashes of n pictures."""

    bits: NDArray[np.uint8]
    """uint8[n, 32], 256 bits each."""
    quality: NDArray[np.int16]
    """int16[n], 0 to 100: how much there is to tell the picture by; -1 where it could not be read."""

    def __len__(self) -> int:
        return len(self.quality)


def hashes(pictures: Iterable[bytes]) -> Hashes:
    """Hash encoded pictures; one that cannot be read has quality -1 and zero bits."""
    found = [hashed(luminance(picture)) for picture in pictures]
    bits = np.array([bits for bits, _ in found], np.uint8).reshape(len(found), BITS // 8)
    return Hashes(bits, np.array([quality for _, quality in found], np.int16))


def lookalikes(picture: bytes, *, any_turn: bool = False) -> NDArray[np.uint8]:
    """Return uint8[k, 32]: the hashes of a picture in the sizes that copies have, whole and with its edges cut.

    A copy may then be smaller, or lack up to a tenth of width and height, the same at either edge. `any_turn` adds the
    seven other ways in which each can be turned and mirrored.

    Raises:
        ValueError: it cannot be read.
    """
    luma = luminance(picture)
    if luma is None:
        raise ValueError("not a picture that can be read")
    sizes = [luma, *(_resized(luma, length) for length in _LENGTHS if length < max(luma.shape))]
    cut = [_cut(size, share) for size in sizes for share in _CUTS]
    sides = [np.rot90(s, n) for c in cut for s in (c, c.T) for n in range(4)] if any_turn else cut
    return np.unique(np.stack([hashed(side)[0] for side in sides]), axis=0)


def _resized(luma: NDArray[np.float32], longest: int) -> NDArray[np.float32]:
    height, width = (max(1, round(side * longest / max(luma.shape))) for side in luma.shape)
    smaller = np.asarray(Image.fromarray(luma).resize((width, height), Image.Resampling.BOX), np.float32)
    return np.asarray(np.rint(smaller * 256) / 256, np.float32)


def _cut(luma: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    top, left = (round(side * share / 2) for side in luma.shape)
    return luma[top : luma.shape[0] - top, left : luma.shape[1] - left]


def distances(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return int64[n, m]: in how many bits each of n hashes differs from each of m, uint8[n, 32] and uint8[m, 32]."""
    return np.bitwise_count(left[:, None, :] ^ right[None, :, :]).sum(axis=2, dtype=np.int64)


def luminance(picture: bytes) -> NDArray[np.float32] | None:
    """Return float32[height, width], 0 to 255 in steps of 1/256, at most 512 on the longer side.

    None where it cannot be read. Of an animation the first frame counts; what is transparent is taken as white.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a picture's size, or of its metadata, which nobody reads here
        try:
            with Image.open(io.BytesIO(picture), formats=FORMATS) as opened:
                return _luma(opened)
        except (*BROKEN, *BOMB, MemoryError):
            return None


def _luma(opened: Image.Image) -> NDArray[np.float32] | None:
    size = _within(opened.size)
    # A JPEG holds the very luminance: its colours need not be decoded, nor more of it than a half, quarter or eighth.
    opened.draft("L", size)
    if opened.width * opened.height > _MOST_PIXELS:
        return None
    image = opened if opened.mode == "L" and not opened.has_transparency_data else on_white(opened)
    shrunk = np.asarray(image if image.size == size else image.resize(size, Image.Resampling.BOX, reducing_gap=2.0))
    if image.mode == "L":
        return shrunk.astype(np.float32)
    weighed = shrunk.astype(np.float32) @ _WEIGHTS
    return np.asarray(np.rint(weighed / 256) / 256, np.float32)


def _within(size: tuple[int, int]) -> tuple[int, int]:
    """Return width and height with the longer one cut to 512, in proportion."""
    longest = max(size)
    if longest <= _LONGEST:
        return size
    width, height = (max(1, round(side * _LONGEST / longest)) for side in size)
    return width, height


def hashed(luma: NDArray[np.float32] | None) -> tuple[NDArray[np.uint8], int]:
    """Return the hash, uint8[32], and the quality of what `luminance` returned."""
    if luma is None:
        return np.zeros(BITS // 8, np.uint8), -1
    sampled = _sampled(luma)
    return _bits(_spectrum(sampled)), _quality(sampled)


def _sampled(luma: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return float64[64, 64]: the picture, filtered and sampled.

    Both are linear, so along each axis they are one matrix of whole numbers, and every sum below is exact: the same
    bits come from any machine's BLAS.
    """
    height, width = luma.shape
    across = luma @ _filter(width).T  # below 2**16, in steps of 1/256
    return np.asarray(_filter(height).astype(np.float64) @ across.astype(np.float64)) / _WHOLE**2


@lru_cache(2 * _LONGEST)
def _filter(length: int) -> NDArray[np.float32]:
    """Return float32[64, length], rows that sum to 144: filtered twice, the second time at its samples alone."""
    samples = ((np.arange(_SIDE) + 0.5) * length / _SIDE).astype(np.int64)
    return np.asarray(_averages(samples, length) @ _averages(np.arange(length), length), np.float32)


def _averages(at: NDArray[np.int64], length: int) -> NDArray[np.float64]:
    """Return float64[n, length]: 12 times the mean of a window around each of n places of a line."""
    window = -(-length // (2 * _SIDE))
    ahead = (window + 2) // 2
    # A window of even width has its extra place ahead; at the ends it is cut, and the mean taken of what is left.
    start, stop = np.maximum(at - (window - ahead), 0), np.minimum(at + ahead, length)
    places = np.arange(length)
    inside = (places >= start[:, None]) & (places < stop[:, None])
    return np.asarray(inside * (12 // (stop - start))[:, None], np.float64)  # of 1 to 4 places: all divide 12


def _quality(sampled: NDArray[np.float64]) -> int:
    """Sum the steps between neighbours, each in hundredths of the full scale and cut to a whole number."""
    steps = (np.trunc((a * 100) / 255) for a in (np.diff(sampled, axis=0), np.diff(sampled, axis=1)))
    return min(100, int(sum(np.abs(step).sum() for step in steps) / 90))


@lru_cache(1)
def _cosines() -> NDArray[np.float64]:
    """Return float64[16, 64]: rows 1 to 16 of the DCT-II of 64 samples; row 0, the mean, is left out."""
    k, x = np.arange(1, _KEPT + 1)[:, None], np.arange(_SIDE)[None, :]
    return np.asarray(np.sqrt(2 / _SIDE) * np.cos(np.pi / (2 * _SIDE) * k * (2 * x + 1)))


def _spectrum(sampled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return float64[16, 16]."""
    # To a millionth: what is nought for a picture of equal halves shall not be an accident of rounding.
    return np.asarray(np.round(_cosines() @ sampled @ _cosines().T, 6)) + 0.0


def _bits(spectrum: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return uint8[32]; written as hex it is what PDQ's own tools print, who begin with the highest frequency."""
    ranked = np.sort(spectrum, axis=None)
    return np.packbits((spectrum.ravel() > ranked[(BITS - 1) // 2])[::-1])
