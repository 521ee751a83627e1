"""What copies of a picture may look like: cut at their edges, or mirrored. Each look has a hash of its own."""

import numpy as np
from numpy.typing import NDArray

from curate.dedupe.perceptual import BITS, hashed

_SHARES = (0.03, 0.06, 0.09)
"""Of width and height that windows lack. A hash of a copy that lacks up to 0.02 more or less is near (measured)."""
_EDGES = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
WINDOWS = len(_SHARES) * (1 + len(_EDGES))
MIRRORS = 2


def windows(luma: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return uint8[15, 32]: the hashes of a picture without its edges, all alike or one of the four."""
    cuts = [tuple(share * side for side in sides) for sides in ((0.5,) * 4, *_EDGES) for share in _SHARES]
    return np.stack([hashed(_cut(luma, *cut))[0] for cut in cuts])


def mirrored(luma: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return uint8[2, 32]: the hashes of a picture with left and right swapped, and with top and bottom swapped."""
    return np.stack([hashed(luma[:, ::-1])[0], hashed(luma[::-1])[0]])


def _cut(luma: NDArray[np.float32], left: float, top: float, right: float, bottom: float) -> NDArray[np.float32]:
    """Cut shares of width and height off the edges; something always stays."""
    height, width = luma.shape
    return luma[
        round(top * height) : height - round(bottom * height), round(left * width) : width - round(right * width)
    ]


def none() -> NDArray[np.uint8]:
    """Return uint8[0, 32]."""
    return np.zeros((0, BITS // 8), np.uint8)
