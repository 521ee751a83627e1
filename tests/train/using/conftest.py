"""Tiny trained models, each trained once for all tests, and pictures to show them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from curate.train.using.opened import Opened, open_checkpoint
from train.shapes import draw, write_run

from .models import learned, shapes


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_run(str(tmp_path_factory.mktemp("captioned")), shapes())


@pytest.fixture(scope="session")
def folder(data, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Where a tiny model of a preset is; it is trained when first asked for."""

    @cache
    def trained(preset: str) -> str:
        out = tmp_path_factory.mktemp(preset)
        learned(preset, data, out)
        return str(out)

    return trained


@pytest.fixture(scope="session")
def opened(folder) -> Callable[[str], Opened]:
    return cache(lambda preset: open_checkpoint(folder(preset), batch_size=24))


@pytest.fixture(scope="session")
def red(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "red.png"
    path.write_bytes(draw("red", "circle", "left"))
    return path


@pytest.fixture(scope="session")
def blue(red) -> Path:
    path = red.with_name("blue.png")
    path.write_bytes(draw("blue", "cross", "right"))
    return path
