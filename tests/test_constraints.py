"""What is installed is what is pinned."""

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def canonical(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def pins(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    return {canonical(line): line.partition("==")[2] for line in lines}


def requirements():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return {canonical(r) for r in [*project["dependencies"], *(r for extra in extras for r in extra)]}


def test_every_requirement_is_pinned():
    assert requirements() - pins("constraints.txt").keys() == set()


COMES_WITH = {"pydantic-core": "pydantic"}
LEFT_TO_THE_USER = {"kenlm", "sentencepiece"}
"""What `perplexity` asks for by an error that says how to get it: kenlm is compiled from source."""


def imported():
    """Top-level names that our code imports and that are neither ours nor Python's."""
    files = [path for folder in ("curate", "filters") for path in (ROOT / folder).rglob("*.py")]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"curate", "filters"}


def test_every_import_is_a_declared_requirement():
    owners = importlib.metadata.packages_distributions()
    needed = {canonical(owners[name][0]) for name in imported() - LEFT_TO_THE_USER}
    declared = requirements() | pins("models.txt").keys()
    assert {COMES_WITH.get(name, name) for name in needed} - declared == set()


def test_constraints_are_sorted_exact_and_the_same_as_models():
    constraints = pins("constraints.txt")
    assert list(constraints) == sorted(constraints)
    assert [name for name, version in constraints.items() if not re.fullmatch(r"[0-9][\w.]*", version)] == []
    assert pins("models.txt").items() <= constraints.items()


OTHER_VERSIONS = {"huggingface-hub", "tokenizers", "transformers"}
"""What transformers 4.57.6 needs older than we do."""


def test_parity_pins_are_sorted_exact_and_the_same_as_ours_where_they_can_be():
    parity, ours = pins("constraints-parity.txt"), pins("constraints.txt")
    assert list(parity) == sorted(parity)
    assert [name for name, version in parity.items() if not re.fullmatch(r"[0-9][\w.]*", version)] == []
    assert {name for name in parity.keys() & ours.keys() if parity[name] != ours[name]} == OTHER_VERSIONS


@pytest.fixture
def clone(tmp_path):
    """A folder that `make` can set up, with an interpreter that records and refuses to make an environment."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "constraints-parity.txt", "models.txt"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@" >> asked\n[ "$1" = -c ]\n')
    python.chmod(0o755)
    return tmp_path


def make(target, clone):
    return subprocess.run(["make", target, "PYTHON=./python"], cwd=clone, capture_output=True, text=True, check=False)


def ready_name(target, clone):
    listed = subprocess.run(["make", "-pn", "help"], cwd=clone, capture_output=True, text=True, check=True).stdout
    return re.search(rf"^{target}: (\S+)$", listed, re.MULTILINE)[1]


PINS = {"setup": "models.txt", "parity-setup": "constraints-parity.txt"}
"""What sets up an environment, and one of the files that it is pinned by."""


@pytest.mark.parametrize("target", PINS)
def test_a_set_up_that_was_cut_short_is_begun_again(target, clone):
    assert make(target, clone).returncode != 0
    assert make(target, clone).returncode != 0
    assert (clone / "asked").read_text().count("-m venv") == 2
    assert not (clone / ready_name(target, clone)).exists()


@pytest.mark.parametrize(("target", "pinned_by"), PINS.items())
def test_a_ready_environment_is_not_touched_until_a_pin_moves(target, pinned_by, clone):
    ready = clone / ready_name(target, clone)
    ready.parent.mkdir()
    ready.touch()
    assert make(target, clone).returncode == 0
    assert not (clone / "asked").exists()
    (clone / pinned_by).write_text("tox-block==0.1.1\n")
    assert make(target, clone).returncode != 0
    assert (clone / "asked").exists()
