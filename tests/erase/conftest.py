"""One finished run over drawn pictures for the session, and a copy of it for each test that changes it."""

import shutil

import pytest

from curate.run.layout import Run

from .runs import carry_out, draw, store_features


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def finished(pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "run"
    store_features(carry_out(out, pictures))
    return out


@pytest.fixture
def run(finished, tmp_path):
    """Give a run of its own to a test."""
    shutil.copytree(finished, tmp_path / "run", copy_function=shutil.copy2)
    return Run.at(str(tmp_path / "run"))
