"""The trainer's commands, as a person types them."""

import json

import pytest

from tests.run.lines import command, here
from tests.train.shapes import TINY, shapes, write_run

SETTINGS = {
    **TINY,
    "trainable": "projector,language",
    "steps": "2",
    "batch_size": "4",
    "warmup_steps": "0",
    "eval_samples": "2",
}
SET = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]


@pytest.mark.slow
def test_features_of_two_runs_then_training_on_them_by_weight(tmp_path):
    runs = [write_run(str(tmp_path / name), shapes()[start : start + 8]) for name, start in (("a", 0), ("b", 8))]
    for run, carried_out in zip(runs, (command, here), strict=True):
        done = carried_out("features", run, "--for", "llava-tiny", *SET)
        assert done.returncode == 0, done.stderr
        assert "pictures  8" in done.stdout
    data = [word for run in runs for word in ("--data", f"{run}:sqrt")]
    done = command("train", "llava-tiny", *data, "--out", tmp_path / "out", *SET, "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["used"] for event in events if event["event"] == "features"] == [True]
    assert events[-1]["samples"] == 16
    done = here("train", "llava-tiny", "--data", f"{runs[0]}:2", "--data", runs[1], "--out", tmp_path / "other")
    assert done.returncode == 1
    assert f"{runs[1]}: has no weight, but other data has" in done.stderr
    assert "Traceback" not in done.stderr
    done = here("features", runs[0], "--for", "llava-tiny")
    assert done.returncode == 1
    assert "vision learns" in done.stderr
