"""Reading the writing in pictures: PP-OCRv4 as the package rapidocr-onnxruntime carries and runs it.

Source: PP-OCR (arXiv 2009.09941): differentiable binarization finds lines (arXiv 1911.08947), a CTC network reads them.
Unlike `RapidOCR.__call__` this keeps which way a line runs and where in it each character was read.
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import Field

from curate.errors import ModelError
from curate.models import Model
from curate.stage import Stage
from filters.pii.pictures.storing import decode, seen

PACKAGE = "rapidocr-onnxruntime"
WEIGHTS = ("ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx", "ch_ppocr_mobile_v2.0_cls_infer.onnx")
MODEL = Model("package:rapidocr_onnxruntime/models", licence="Apache-2.0", weights=WEIGHTS)
REMEDY = f"pip install --no-deps {PACKAGE}==1.4.4 and, for what it needs, pip install 'curate-multimodal[filters]'"
REMEMBERED = 4096
"""Readings that a worker keeps: text and boxes only, some kilobytes each."""
SHORTEST_SIDE = 8
"""Pixels below which a picture, as it is read, holds no legible line."""
STEEPEST = 4
"""Longer side over shorter at most: the network is shown its shorter side at 736 pixels and would need gigabytes."""
TALL = 1.5
"""Height of a box over its width from which it is read from the top down."""
INKED = 0.3
"""Of the strongest contrast in a column of a line: from here it holds ink."""
BLANK = 0.17
"""Of a line's height: bare paper that is a blank; between letters it is 0.05 to 0.12, between words 0.2 and more."""

Pixels = npt.NDArray[Any]
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of writing."""

    text: str
    score: float
    """Mean confidence of its characters, 0..1."""
    corners: tuple[Point, Point, Point, Point]
    """Pixels (x, y): top of its first character, top of its last, bottom of its last, bottom of its first."""
    edges: tuple[float, ...]
    """Where its characters begin and end along it, len(text) + 1 shares of its length, 0..1; of no text two."""
    gaps: tuple[int, ...] = ()
    """Characters before which there is a blank that was not read."""

    @property
    def height(self) -> float:
        """Return the mean length of its two short sides, in pixels."""
        a, b, c, d = (np.array(corner) for corner in self.corners)
        return float(np.linalg.norm(a - d) + np.linalg.norm(b - c)) / 2


class ReadsPictures(Stage):
    """Settings of every stage that reads writing in pictures."""

    read_at_least: float = Field(
        0.5, ge=0, le=1, description="mean confidence of its characters from which a line counts"
    )
    longest_side: int = Field(
        2000,
        ge=64,
        le=8000,
        description="pixels to which the longer side is reduced before reading; time grows with it",
    )


def reader_version() -> str:
    """Name what reads, with its version.

    Raises:
        ModelError: it is not installed.
    """
    try:
        return f"rapidocr {version(PACKAGE)}"
    except PackageNotFoundError as error:
        raise ModelError(f"reading pictures needs {PACKAGE}: {REMEDY}") from error


@lru_cache(maxsize=2)
def open_reader(threads: int, longest_side: int) -> "Reader":
    """Return the worker's reader: stages that read alike share one, and what it remembers.

    Raises:
        ModelError: the package is not here, or something that it needs.
    """
    return Reader(threads, longest_side)


class Reader:
    """Reads pictures, each once as long as it is remembered."""

    def __init__(self, threads: int, longest_side: int) -> None:
        """Load the three networks.

        Raises:
            ModelError: the package is not here, or something that it needs.
        """
        self.name = reader_version()
        """What reads, for the ledger."""
        MODEL.fingerprint()
        try:
            from rapidocr_onnxruntime import RapidOCR
        except ImportError as error:
            raise ModelError(f"reading pictures needs {error.name}: {REMEDY}") from error
        for part in (
            "RapidOCR",
            "OrtInferSession",
        ):  # they write to the terminal whatever the program's own logging says
            logging.getLogger(part).setLevel(logging.ERROR)
        self._ocr: Any = RapidOCR(intra_op_num_threads=threads, inter_op_num_threads=1)
        self._longest_side = longest_side
        self._read: OrderedDict[str, tuple[Line, ...] | None] = OrderedDict()

    def read(self, data: bytes) -> tuple[Line, ...] | None:
        """Return the lines of an encoded picture in reading order, each with its score; None if it is broken."""
        digest = sha256(data).hexdigest()
        if digest not in self._read:
            image = decode(data)
            self._read[digest] = None if image is None else self._lines(Image.fromarray(seen(image)))
            if len(self._read) > REMEMBERED:
                self._read.popitem(last=False)
        self._read.move_to_end(digest)
        return self._read[digest]

    def _lines(self, image: Image.Image) -> tuple[Line, ...]:
        scale = min(1.0, self._longest_side / max(image.size))
        size = (round(image.width * scale), round(image.height * scale))
        if min(size) < SHORTEST_SIDE:
            return ()
        shown = image if scale == 1.0 else image.resize(size, Image.Resampling.LANCZOS)
        pixels = _padded(np.asarray(shown)[:, :, ::-1])
        found, _ = self._ocr.auto_text_det(pixels)
        if found is None:
            return ()
        crops, turned, _ = self._ocr.text_cls(self._ocr.get_crop_img_list(pixels, found))
        read, _ = self._ocr.text_rec(crops, return_word_box=True)
        threshold = self._ocr.text_cls.cls_thresh
        upside_down = ["180" in label and score > threshold for label, score in turned]
        boxes = np.asarray(found, float) / scale
        lines = [_line(*each) for each in zip(boxes, upside_down, crops, read, strict=True)]
        return tuple(in_reading_order(lines))


def _padded(pixels: Pixels) -> Pixels:
    """Add black to the right or below, uint8[h, w, 3], until no side is more than STEEPEST times the other."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    least = max(32, -(-longest // STEEPEST))
    return np.pad(pixels, ((0, max(0, least - height)), (0, max(0, least - width)), (0, 0)))


def _line(box: Pixels, upside_down: bool, crop: Pixels, read: Sequence[Any]) -> Line:
    """Join what was found (float[4, 2], clockwise from the top left) and what was read there (in uint8[h, w, 3])."""
    text, score, (columns, _, places, _, _) = read
    width = max(_length(box[0] - box[1]), _length(box[2] - box[3]))
    height = max(_length(box[0] - box[3]), _length(box[1] - box[2]))
    # As `get_crop_img_list` does: a tall box was read from its upper right corner down.
    turns = (1 if height >= TALL * max(width, 1) else 0) + (2 if upside_down else 0)
    corners = np.roll(box, -turns, axis=0)
    columns_read = np.array([place for word in places for place in word], float) + 0.5
    centres = np.clip(columns_read / max(columns, 1), 0, 1)
    between = ((centres[1:] + centres[:-1]) / 2).tolist()
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return Line(text, round(float(score), 6), (a, b, c, d), (0.0, *between, 1.0), _gaps(text, centres, crop))


def _length(way: Pixels) -> float:
    return float(np.linalg.norm(way))


def _gaps(text: str, centres: Pixels, crop: Pixels) -> tuple[int, ...]:
    """Return the characters with a wide stretch of bare paper before them: many blanks are not read."""
    grey = crop.mean(axis=2)
    height, width = grey.shape
    uneven = np.ptp(grey[height // 8 : height - height // 8], axis=0)  # a column of paper is even from top to bottom
    bare = np.concatenate([[False], uneven <= uneven.min() + INKED * np.ptp(uneven), [False]])
    starts, stops = np.flatnonzero(np.diff(bare.astype(np.int8))).reshape(-1, 2).T
    within = (starts > 0) & (stops < width)
    starts, stops = starts[within], stops[within]
    wide = stops - starts > max(BLANK * height, 2 * np.median(stops - starts) if len(starts) else 0)
    between = (centres[1:] + centres[:-1]) / 2 * width
    if not len(between):
        return ()
    nearest = {1 + int(np.argmin(np.abs(between - middle))) for middle in (starts + stops)[wide] / 2}
    return tuple(sorted(place for place in nearest if " " not in text[place - 1 : place + 1]))


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """Sort lines into rows from the top, and each row from the left; lines are in a row if their middles are."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=_middle):
        first = rows[-1][0] if rows else None
        if first is not None and _middle(line) - _middle(first) < min(line.height, first.height) / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda each: min(x for x, _ in each.corners))]


def _middle(line: Line) -> float:
    return sum(y for _, y in line.corners) / 4
