"""Ratchets: habits of this code base that only ever get stricter."""

import ast
import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("curate", "filters")
HEAVY = ("ray", "torch", "transformers", "spacy", "tokenizers", "img2dataset")
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler", "processor", "base"}
LONG_FILES: dict[str, str] = {}
"""Files over 300 lines, each with the reason why it is one."""


def python_files(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path):
    return path.relative_to(ROOT).as_posix()


def public_modules():
    packages = [importlib.import_module(name) for name in PACKAGES]
    found = [m.name for p in packages for m in pkgutil.walk_packages(p.__path__, f"{p.__name__}.")]
    return [*PACKAGES, *found]


@pytest.mark.parametrize("module", ["curate", "curate.recipe", "curate.builtin", "filters"])
def test_import_is_light(module):
    code = f"import {module}, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_all_names_resolve():
    for name in public_modules():
        source = ast.parse(Path(importlib.util.find_spec(name).origin).read_text())
        if any(isinstance(node, ast.Assign) and node.targets[0].id == "__all__" for node in source.body if named(node)):
            module = importlib.import_module(name)
            assert [n for n in module.__all__ if not hasattr(module, n)] == [], name
            assert list(module.__all__) == sorted(module.__all__), name


def named(node):
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)


def owners(name):
    """Distributions that bring an import name: as files of their own, or by an editable install's path file."""
    return {d.metadata["Name"] for d in importlib.metadata.distributions() for f in d.files or () if brings(d, f, name)}


def brings(distribution, file, name):
    if file.parts[0] == name and file.suffix == ".py":
        return True
    path = Path(distribution.locate_file(file))
    if path.suffix != ".pth" or len(file.parts) > 1:
        return False
    return any(Path(line, name, "__init__.py").exists() for line in path.read_text().splitlines())


@pytest.mark.parametrize("name", PACKAGES)
def test_import_name_has_one_owner(name):
    assert owners(name) == {"curate-multimodal"}


def test_no_file_is_long():
    lines = {relative(p): len(p.read_text().splitlines()) for p in python_files(*PACKAGES, "tests", "bench")}
    assert {path for path, count in lines.items() if count > 300} == set(LONG_FILES)


def test_no_module_has_an_empty_name():
    names = {p: set(relative(p).removesuffix(".py").replace("/", "_").split("_")) for p in python_files(*PACKAGES)}
    assert {relative(path) for path, words in names.items() if words & BANNED} == set()


MAY_IMPORT = {
    "filters-know-the-contract": {"decode", "sample", "stage", "errors", "models", "pii_match"},
    "train-reads-shards": {"train", "shards", "errors"},
}


@pytest.mark.parametrize("contract", MAY_IMPORT)
def test_import_contract_names_every_other_module(contract):
    """A list of what is forbidden goes stale as modules are added; this one may not."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (forbidden,) = [set(c["forbidden_modules"]) for c in contracts if c["id"] == contract]
    modules = {m.name for m in pkgutil.iter_modules([ROOT / "curate"])}
    assert forbidden == {f"curate.{name}" for name in modules - MAY_IMPORT[contract]}
