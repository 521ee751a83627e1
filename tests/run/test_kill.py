"""SIGKILL at any moment: the same command finishes the job, and the bytes are those of an undisturbed run."""

import os
import signal
import subprocess

import pytest

from tests.run.killing import drivers, kill_at_random, same_after_kills, start, wait, workers
from tests.run.lines import CURATE, STAGES, command, published, spelled

SLOW_STAGES = (STAGES[0], {"slow": {"seconds": 0.01}}, *STAGES[1:])


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "lines.yaml"
    path.write_text(spelled(*SLOW_STAGES, rows=203, partition_size=20))
    return path


@pytest.fixture(scope="module")
def undisturbed(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    assert command("run", recipe, "--out", out, "--local").returncode == 0
    return out


@pytest.mark.slow
def test_killed_without_ray(recipe, undisturbed, tmp_path):
    line = ("run", recipe, "--local")
    same_after_kills(line, tmp_path / "run", undisturbed, drivers, seed=1, kills=5, within_s=2.5)


@pytest.mark.slow
def test_driver_killed_on_ray(recipe, undisturbed, tmp_path):
    line = ("run", recipe, "--workers", "2")
    same_after_kills(line, tmp_path / "run", undisturbed, drivers, seed=2, kills=3, within_s=14.0)


@pytest.mark.slow
def test_workers_killed_on_ray(recipe, undisturbed, tmp_path):
    slower = ("run", recipe, "--workers", "2", "--set", "slow.seconds=0.1")
    line_out = tmp_path / "slower"
    hit = kill_at_random((*slower, "--out", line_out), workers, seed=3, kills=6, within_s=3.0)
    assert hit >= 2
    expected, found = published(undisturbed), published(line_out)
    assert found == expected


def test_ctrl_c_says_what_to_do_and_the_same_command_continues(recipe, undisturbed, tmp_path):
    line = [CURATE, "run", str(recipe), "--out", str(tmp_path / "run"), "--local"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    scores = tmp_path / "run" / "scores"
    while process.poll() is None and not any(scores.glob("slow-*/*.parquet")):
        wait(process, 0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.endswith("curate: stopped. What was committed stays; the same command continues.\n")
    assert "Traceback" not in said
    assert command(*line[1:]).returncode == 0
    assert published(tmp_path / "run") == published(undisturbed)


def test_nothing_that_was_committed_is_measured_again(tmp_path):
    """Each partition is measured once, but for the one that was under way."""
    counter = tmp_path / "count"
    recipe = tmp_path / "lines.yaml"
    recipe.write_text(spelled({"line_number": {"counter": str(counter)}}, {"slow": {"seconds": 0.02}}))
    line = ("run", recipe, "--out", tmp_path / "run", "--local")
    process = start(line)
    while process.poll() is None and not any((tmp_path / "run").glob("work/phases/1-*/part-00002.parquet")):
        wait(process, 0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert command(*line).returncode == 0
    assert counter.stat().st_size <= 88 + 20
