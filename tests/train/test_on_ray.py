"""Ray Train carries the same job out, and says what was refused."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from curate.errors import TrainError
from curate.train.job import Job, carry_out
from curate.train.on_ray import _go_to, carry_out_on_ray

from .tiny import SMALL

SETTINGS = {**SMALL["llava-tiny"], "steps": "4", "batch_size": "8", "checkpoint_every": "2", "eval_samples": "8"}


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.filterwarnings("ignore")  # of Ray, about its own next versions
def test_two_workers_learn_what_one_process_learns(shapes_run, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_TRAIN_V2_ENABLED", "1")
    monkeypatch.chdir(tmp_path)  # relative paths start here, in whatever folder Ray has its workers work
    (tmp_path / "run").symlink_to(shapes_run)
    events = []
    job = Job("llava-tiny", ("run",), "ray", SETTINGS, resume=True)
    final = carry_out_on_ray(job, 2, events.append)
    here = carry_out(Job("llava-tiny", (shapes_run,), str(tmp_path / "here"), SETTINGS, resume=True), lambda _: None)
    assert losses(tmp_path / "ray") == pytest.approx(losses(tmp_path / "here"), rel=1e-5)
    assert final["data_versions"] == here["data_versions"]
    assert [e["step"] for e in events if e["event"] == "step"] == [1, 2, 3, 4]
    assert events[-1]["event"] == "end"
    with pytest.raises(TrainError, match="cannot be shared evenly by 3 processes"):
        carry_out_on_ray(
            Job("llava-tiny", (shapes_run,), str(tmp_path / "no"), SETTINGS, resume=True), 3, events.append
        )
    assert os.environ.get("WORLD_SIZE") is None


def test_a_relative_folder_that_a_machine_does_not_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = Job("llava-tiny", ("run",), "model", SETTINGS, resume=True)
    with pytest.raises(TrainError, match=r"model: not every machine has .*nowhere"):
        _go_to(str(tmp_path / "nowhere"), job)
    _go_to(str(tmp_path / "nowhere"), replace(job, out=str(tmp_path / "model")))
    assert Path.cwd() == tmp_path
