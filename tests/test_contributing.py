"""What CONTRIBUTING.md tells a newcomer to do works as told."""

import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()

USE = """
import io
import pyarrow as pa
from PIL import Image
from curate.registry import stages

def picture(colour):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(stream, "PNG")
    return stream.getvalue()

images = pa.array([picture("white"), None, picture("black"), picture((128, 128, 128))], pa.large_binary())
stage = stages()["brightness"]()
(column,) = stage.open()(pa.table({"image": images}))
print([None if value is None else round(value, 2) for value in column.to_pylist()])
print(stage.decide(pa.table({"brightness": column})).to_pylist())
"""


def blocks():
    """Indented blocks of the guide, by the paragraph before each."""
    found = re.findall(r"([^\n]+)\n\n((?:    [^\n]*\n|\n)+)", GUIDE)
    return [(lead, textwrap.dedent(code).strip("\n")) for lead, code in found]


def test_a_filter_takes_one_file_and_one_line(tmp_path):
    (code,) = [code for lead, code in blocks() if lead.endswith("`filters/brightness.py`:")]
    package = tmp_path / "filters"
    shutil.copytree(ROOT / "filters", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "brightness.py").write_text(code)
    start = (package / "__init__.py").read_text()
    line = "\nfrom filters.brightness import Brightness\nSTAGES = (*STAGES, Brightness)\n"
    (package / "__init__.py").write_text(start + line)
    done = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "[1.0, None, 0.0, 0.5]"
    assert [reason is None for reason in eval(done.stdout.splitlines()[1])] == [False, True, False, True]


def test_the_filter_shown_passes_the_linter():
    (code,) = [code for lead, code in blocks() if lead.endswith("`filters/brightness.py`:")]
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "check", "--config", ROOT / "pyproject.toml", "--stdin-filename", "filters/brightness.py", "-"]
    done = subprocess.run(command, input=f"{code}\n", capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_layers_are_those_that_are_checked():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [c["layers"] for c in contracts if c["id"] == "layers"]
    (shown,) = [code for lead, code in blocks() if "`[tool.importlinter]`" in lead]
    assert [names(line.partition("    ")[0]) for line in shown.splitlines()] == [names(layer) for layer in layers]


def names(text):
    return sorted(re.findall(r"\w+", text))
