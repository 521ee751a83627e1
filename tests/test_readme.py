"""What README says can be done, done."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from curate.errors import RecipeError
from curate.recipe import parse_recipe
from tests.run.lines import here

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
USE = """
import io
import pyarrow as pa
from PIL import Image
from curate.registry import stages

def png(shade):
    packed = io.BytesIO()
    Image.new("L", (4, 4), shade).save(packed, "PNG")
    return packed.getvalue()

stage = stages()["brightness"]()
table = pa.table({"image": pa.array([png(255), None, png(0), png(128)], pa.large_binary())})
(column,) = stage.open()(table)
print([None if value is None else round(value, 1) for value in column.to_pylist()])
print(stage.decide(pa.table({"brightness": column})).to_pylist())
"""


def block(language, holding):
    """The one fenced block of a language that holds a word."""
    fenced = [b.partition("\n") for b in README.split("```")[1::2]]
    (found,) = [code for name, _, code in fenced if name == language and holding in code]
    return found


@pytest.fixture
def with_the_filter(tmp_path):
    """A copy of the filters in which README's example was added, by its one file and one line."""
    package = tmp_path / "filters"
    shutil.copytree(ROOT / "filters", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "brightness.py").write_text(block("python", "class Brightness"))
    start = (package / "__init__.py").read_text()
    named = start.replace("STAGES = (", "from filters.brightness import Brightness\n\nSTAGES = (Brightness, ")
    (package / "__init__.py").write_text(named)
    return tmp_path


def test_a_filter_takes_one_file_and_one_name(with_the_filter):
    done = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, check=False, cwd=with_the_filter)
    assert done.returncode == 0, done.stderr
    measured, decided = done.stdout.splitlines()
    assert measured == "[1.0, None, 0.0, 0.5]"
    assert decided == "['above_at_most', None, 'below_at_least', None]"


def test_the_contract_suite_picks_the_filter_up(with_the_filter):
    shutil.copytree(ROOT / "tests" / "contract", with_the_filter / "contract")
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", with_the_filter]
    run += ["-k", "brightness", with_the_filter / "contract"]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=with_the_filter)
    assert done.returncode == 0, done.stdout + done.stderr
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) >= 3


def test_the_recipe_is_one():
    recipe = parse_recipe(block("yaml", "name: pairs").encode(), "README.md")
    assert [s.name for s in recipe.stages][:2] == ["caption_words", "fetch"]


def test_the_mistakes_are_told_as_shown():
    shown = block("", "bad.yaml:3:").splitlines()
    bad = "name: bad\nsource: {urls: {path: x}}\nstages: [short_sid: {at_least: 3},\n  caption_words: {at_lest: 3}]\n"
    with pytest.raises(RecipeError) as caught:
        parse_recipe(f"{bad}sink: webdataset\n".encode(), "bad.yaml")
    assert caught.value.faults == shown


def test_every_command_and_option_exists():
    commands = set(re.findall(r"`?curate ([a-z]+)", README)) - {"is", "turns"}
    assert {"run", "plan", "check", "retry", "purge", "stages", "models", "train"} <= commands
    assert {"generate", "retrieve", "embed", "evaluate"} <= commands
    for name in sorted(commands):
        done = here(name, "--help")
        assert done.returncode == 0, name
    offered = here("run", "--help").stdout
    (row,) = re.findall(r"\| `curate run (.*?)` \|", README)
    assert all(option in offered for option in re.findall(r"--[a-z]+", row))


def test_every_page_that_is_linked_is_there():
    pages = re.findall(r"\]\(([^)#]+)\)", README)
    assert [p for p in pages if not (ROOT / p).is_file()] == []
