"""Everything here needs the environment of `make parity`; anywhere else, each file says so in one skip."""

import importlib.metadata
from pathlib import Path

import pytest

WANTED = {"transformers": "4.57.6", "salesforce-lavis": "1.0.2"}
"""transformers 5 ties Flan-T5's output matrix and drops what LAVIS needs; LAVIS alone has BLIP-2's first stage."""


def missing() -> list[str]:
    """What this environment lacks."""
    return [f"{name}=={version}" for name, version in WANTED.items() if installed(name) != version]


def installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


class Elsewhere(pytest.Module):
    """A file that cannot be imported here."""

    def collect(self):
        pytest.skip(f"{' and '.join(missing())} not installed: run `make parity`")


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Skip the whole file before its imports fail."""
    return Elsewhere.from_parent(parent, path=module_path) if missing() else None
