"""Where characters of a line are in a picture, and painting over them and nothing beside them."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from filters.pii.pictures.reading import Line, Point

Pixels = npt.NDArray[Any]
Paint = Literal["fill", "black", "blur"]
Box = tuple[int, int, int, int]
"""Pixels: left, top (in), right, bottom (out)."""
Outline = tuple[Point, Point, Point, Point]

_RING = 3
"""Pixels around a covered part from which the colour of its paper is taken."""
_BLUR = 0.6
"""Of a line's height, the deviation of the blur: strokes are a tenth of it, and letters run into one."""


def outline_of(line: Line, start: int, stop: int, expand: float) -> Outline:
    """Return the corners around characters start (in) to stop (out), `expand` line heights wider on every side."""
    a, b, c, d = (np.array(corner) for corner in line.corners)
    along, down = (b - a + c - d) / 2, (d - a + c - b) / 2
    length, margin = max(float(np.linalg.norm(along)), 1e-6), expand * line.height
    first = line.edges[start] - margin / length
    last = line.edges[stop] + margin / length
    lift = down / max(float(np.linalg.norm(down)), 1e-6) * margin
    top, bottom = (a, b), (d, c)
    corners = (
        top[0] + (top[1] - top[0]) * first - lift,
        top[0] + (top[1] - top[0]) * last - lift,
        bottom[0] + (bottom[1] - bottom[0]) * last + lift,
        bottom[0] + (bottom[1] - bottom[0]) * first + lift,
    )
    w, x, y, z = ((float(corner[0]), float(corner[1])) for corner in corners)
    return w, x, y, z


def box_around(outline: Outline, size: tuple[int, int]) -> Box:
    """Return the smallest box of whole pixels around an outline, within a picture of this size (width, height)."""
    xs, ys = [x for x, _ in outline], [y for _, y in outline]
    left, top = max(0, int(np.floor(min(xs)))), max(0, int(np.floor(min(ys))))
    right, bottom = min(size[0], int(np.ceil(max(xs))) + 1), min(size[1], int(np.ceil(max(ys))) + 1)
    return left, top, max(right, left), max(bottom, top)


def paint(pixels: Pixels, outline: Outline, how: Paint, height: float) -> None:
    """Paint over what an outline holds, in place; `height` is that of its line.

    Args:
        pixels: any unsigned integer type, [height, width] or [height, width, channels].
        outline: corners; what lies outside the picture is ignored.
        how: `fill` with the colour of the paper around, `black` (opaque), or `blur`.
        height: pixels.
    """
    box = box_around(outline, (pixels.shape[1], pixels.shape[0]))
    left, top, right, bottom = box
    if left == right or top == bottom:
        return
    inside, part = _mask(outline, box), pixels[top:bottom, left:right]
    if how == "blur":
        part[inside] = _blurred(part, max(1.0, height))[inside]
    elif how == "fill":
        part[inside] = _paper(pixels, box, inside)
    else:
        part[inside] = _black(pixels)


def _black(pixels: Pixels) -> Pixels:
    black = np.zeros(pixels.shape[2:], pixels.dtype)
    if pixels.shape[2:] in {(2,), (4,)}:  # the last is alpha
        black[-1] = np.iinfo(pixels.dtype).max
    return black


def _mask(outline: Outline, box: Box) -> Pixels:
    """Return bool[h, w] of a box: what an outline holds, its border included."""
    left, top, right, bottom = box
    canvas = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(canvas).polygon([(x - left, y - top) for x, y in outline], fill=255, outline=255)
    return np.asarray(canvas) > 0


def _paper(pixels: Pixels, box: Box, inside: Pixels) -> Pixels:
    """Return the median colour of the pixels just around what is covered, of it all where nothing is around."""
    left, top, right, bottom = box
    height, width = pixels.shape[:2]
    up, down = min(_RING, top), min(_RING, height - bottom)
    before, after = min(_RING, left), min(_RING, width - right)
    around = np.pad(inside, ((up, down), (before, after)))
    region = pixels[top - up : bottom + down, left - before : right + after]
    ring = region[~around]
    colours = ring if len(ring) else region[around]
    return np.median(colours, axis=0).astype(pixels.dtype)


def _blurred(part: Pixels, height: float) -> Pixels:
    from scipy.ndimage import gaussian_filter

    sigma = (_BLUR * height, _BLUR * height, *[0.0] * (part.ndim - 2))
    return np.rint(gaussian_filter(part.astype(np.float32), sigma, mode="nearest")).astype(part.dtype)
