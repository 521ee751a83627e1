"""Covering boxes of a picture: pixels inside them change, those outside stay as they are."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Cover = Literal["blur", "pixelate", "fill"]
Shape = Literal["ellipse", "box"]

CELLS = 6
"""Cells that are left across a covered box, whatever its size: at 6 x 6 neither people nor recognizers know a face
(McPherson et al. 2016 recognized faces of 16 x 16 cells)."""
GREY = 0.5
"""Of the largest value: what `fill` leaves tells nothing of what it covers."""


@dataclass(frozen=True)
class Box:
    """Pixels left (in) to right (out), top (in) to bottom (out)."""

    left: int
    top: int
    right: int
    bottom: int

    def expanded(self, share: float, width: int, height: int) -> "Box":
        """Grow by a share of its own size on each side, within a picture."""
        wide, high = share * (self.right - self.left), share * (self.bottom - self.top)
        return Box(
            max(0, int(np.floor(self.left - wide))),
            max(0, int(np.floor(self.top - high))),
            min(width, int(np.ceil(self.right + wide))),
            min(height, int(np.ceil(self.bottom + high))),
        )


def cover(pixels: npt.NDArray[Any], box: Box, how: Cover, shape: Shape, feather: float) -> None:
    """Cover a box of `pixels` (any integer type, [height, width] or [height, width, channels]) in place.

    The edge fades over `feather` of the way from the rim to the middle, inside the box. An alpha channel is covered
    like the others, so that a cut-out shows no outline.
    """
    part = pixels[box.top : box.bottom, box.left : box.right]
    if part.size == 0:
        return
    plane = part[..., None] if part.ndim == 2 else part  # noqa: PLR2004 - height and width
    covered = _filled(plane) if how == "fill" else _coarse(plane, smooth=how == "blur")
    weight = _weight(plane.shape[0], plane.shape[1], shape, feather)[..., None]
    mixed = plane * (1 - weight) + covered * weight
    part[...] = np.rint(mixed).astype(pixels.dtype).reshape(part.shape)


def _filled(plane: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.full(plane.shape, GREY * np.iinfo(plane.dtype).max)


def _coarse(plane: npt.NDArray[Any], *, smooth: bool) -> npt.NDArray[np.float64]:
    """Return the means of at most CELLS x CELLS cells, as tiles or with slopes between their middles."""
    rows, columns = (np.linspace(0, side, min(CELLS, side) + 1).astype(int) for side in plane.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(plane.astype(np.float64), rows[:-1], axis=0), columns[:-1], axis=1)
    means = sums / (np.diff(rows)[:, None, None] * np.diff(columns)[None, :, None])
    if not smooth:
        return np.repeat(np.repeat(means, np.diff(rows), axis=0), np.diff(columns), axis=1)
    return _sloped(_sloped(means, rows, 0), columns, 1)


def _sloped(means: npt.NDArray[np.float64], edges: npt.NDArray[Any], axis: int) -> npt.NDArray[np.float64]:
    """Interpolate linearly along an axis between the middles of cells."""
    middles = (edges[:-1] + edges[1:] - 1) / 2
    place = np.interp(np.arange(edges[-1]), middles, np.arange(len(middles)))
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, len(middles) - 1)
    share = np.expand_dims(place - low, tuple(d for d in range(means.ndim) if d != axis))
    return means.take(low, axis) * (1 - share) + means.take(high, axis) * share


def _weight(height: int, width: int, shape: Shape, feather: float) -> npt.NDArray[np.float64]:
    """Return 1 where a pixel is covered wholly, 0 where it stays."""
    down = np.abs((np.arange(height) + 0.5) / height * 2 - 1)[:, None]
    across = np.abs((np.arange(width) + 0.5) / width * 2 - 1)[None, :]
    outward = np.hypot(down, across) if shape == "ellipse" else np.maximum(down, across)
    if feather == 0:
        return (outward <= 1).astype(np.float64)
    return np.clip((1 - outward) / feather, 0, 1)
