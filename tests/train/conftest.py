"""Runs to train on."""

import itertools
from collections.abc import Callable, Iterable

import pytest

from .shapes import Sample, shapes, write_run


@pytest.fixture(scope="session")
def shapes_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_run(str(tmp_path_factory.mktemp("shapes")), shapes())


@pytest.fixture
def make_run(tmp_path) -> Callable[[Iterable[Sample]], str]:
    numbers = itertools.count()
    return lambda samples: write_run(str(tmp_path / f"run-{next(numbers)}"), samples)
