"""What can be trained, and every setting of it, told by the command line."""

import json

import pytest
from typer.testing import CliRunner

from curate.cli.app import app
from curate.train.presets import configure, presets


def told(*words):
    result = CliRunner().invoke(app, ["presets", *words], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_presets_are_listed_with_their_parameters():
    page = told()
    assert all(name in page for name in presets())
    assert "107,133,696" in page
    rows = [json.loads(line) for line in told("--json").splitlines()]
    assert [row["preset"] for row in rows] == list(presets())


@pytest.mark.parametrize("name", ["llava-tiny", "blip2-stage1-tiny", "fromage-opt-6.7b"])
def test_every_setting_that_is_told_can_be_set_to_what_it_is(name):
    settings = json.loads(told(name, "--json"))
    assert "vision.layers" in settings
    assert configure(name, settings) == configure(name, {})


def test_settings_are_told_with_what_they_mean():
    page = told("llava-tiny")
    assert "learning_rate" in page
    assert "0.0014" in page
    assert "longest sequence" in page
