"""The second-best pictures: those that the scikit-image and scikit-learn wheels carry, with their own captions."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

from curate.errors import InputError

WHEELS = ("scikit-image==0.26.0", "scikit-learn==1.9.1")
SAMPLES = {
    "sklearn/datasets/images/china.jpg": "A Chinese palace on a hill.",
    "sklearn/datasets/images/flower.jpg": "An orange flower in full bloom.",
}
"""scikit-learn's two photographs come without captions; these are ours."""


def photographs(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Return (file bytes, caption) by file name; the wheels are downloaded into `folder` and not installed.

    Raises:
        InputError: pip cannot download the wheels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder), *WHEELS]
    done = subprocess.run(  # noqa: S603 - no shell, our own arguments
        [sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        detail = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"pip download {' '.join(WHEELS)} failed: {detail}")
    found: dict[str, tuple[bytes, str]] = {}
    for wheel in sorted(folder.glob("scikit_*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for member, caption in sorted(_captions(archive).items()):
                found[PurePosixPath(member).name] = (archive.read(member), caption)
    return found


def _captions(archive: zipfile.ZipFile) -> dict[str, str]:
    """Map pictures in a wheel to captions: scikit-image states one at the head of each loader's docstring."""
    names = set(archive.namelist())
    loaders = "skimage/data/_fetchers.py"
    if loaders not in names:
        return {member: caption for member, caption in SAMPLES.items() if member in names}
    captions: dict[str, str] = {}
    for node in ast.parse(archive.read(loaders)).body:
        if isinstance(node, ast.FunctionDef) and (docstring := ast.get_docstring(node)):
            for member in sorted(_pictures_loaded(node) & names):
                captions[member] = docstring.splitlines()[0]
    return captions


def _pictures_loaded(function: ast.FunctionDef) -> set[str]:
    values = (node.value for node in ast.walk(function) if isinstance(node, ast.Constant))
    texts = {value for value in values if isinstance(value, str) and value.startswith("data/")}
    return {f"skimage/{text}" for text in texts if text.endswith((".png", ".jpg", ".gif"))}
