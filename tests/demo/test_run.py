"""What the demo says where it cannot begin."""

import sys

import pytest

from curate.demo.__main__ import main
from curate.demo.run import Demo, curate_command, found_recipe
from curate.demo.server import PORT
from curate.errors import CurateError


def demo(tmp_path, port=PORT):
    return Demo(tmp_path / "out", tmp_path / "cache", port, lambda _: None)


def test_another_port_has_another_list(tmp_path):
    assert demo(tmp_path).urls.name == "urls.parquet"
    assert demo(tmp_path, 9000).urls.name == "urls-9000.parquet"
    assert demo(tmp_path, 9000).address == "http://127.0.0.1:9000"


def test_the_recipe_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert found_recipe().endswith("pipelines/demo.yaml")


def test_a_command_that_fails_ends_the_demo(tmp_path, capfd):
    with pytest.raises(CurateError, match="`curate run` ended with status"):
        curate_command(print, "run", str(tmp_path / "none.yaml"))


def test_a_missing_installation_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(CurateError, match="install the project"):
        curate_command(print, "stages")


def test_without_pictures_it_says_why_and_exits_1(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert main(["--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "NOT AVAILABLE" in said.out
    assert "pip download" in said.err
    assert not (tmp_path / "out").exists()
