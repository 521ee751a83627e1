"""Killed at any moment and started again, training is the training that was never disturbed, to the last bit."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import LockedError, TrainError
from curate.shards import ShardReader
from curate.storage import Folder
from curate.train import checkpoint, train

from .shapes import TINY, draw, sample, shapes, write_run

SETTINGS = {**TINY, "steps": "20", "checkpoint_every": "6", "warmup_steps": "4"}


def trained(data, out, progress=lambda _: None, **overrides):
    return train("llava-tiny", data, str(out), overrides={**SETTINGS, **overrides}, progress=progress)


def start(data, out):
    command = [sys.executable, "-m", "train.training", data, str(out), *(f"{k}={v}" for k, v in SETTINGS.items())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def contents(out):
    """Return every file that a run leaves, by name; the lock holds nothing."""
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file() and p.name != "lock"}


@pytest.fixture(scope="module")
def undisturbed(shapes_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    trained(shapes_run, out)
    return contents(out)


@pytest.mark.slow
def test_killed_training_goes_on_with_the_same_bits(shapes_run, undisturbed, tmp_path):
    draws = random.Random(0)
    for kill_after in (1, *sorted(draws.sample(range(2, 20), 2))):
        process = start(shapes_run, tmp_path)
        for line in process.stdout:
            if line.startswith("step") and int(line.split()[1]) >= kill_after:
                process.send_signal(signal.SIGKILL)
                break
        process.stdout.close()
        assert process.wait() == -signal.SIGKILL
    last = start(shapes_run, tmp_path)
    assert last.communicate()[0].splitlines()[-1] == "end None"
    assert contents(tmp_path) == undisturbed


class StopError(Exception):
    """Ends training from inside its own progress call, as a raising program would."""


@pytest.mark.parametrize("at", [("step", 7), ("checkpoint", 12), ("step", 12), ("step", 20)])
def test_training_stopped_at_any_event_goes_on_with_the_same_bits(shapes_run, undisturbed, tmp_path, at):
    def stop(event):
        if (event["event"], event.get("step")) == at:
            raise StopError

    with pytest.raises(StopError):
        trained(shapes_run, tmp_path, stop)
    resumed = []
    trained(shapes_run, tmp_path, resumed.append)
    done = at[1] - (at[1] % 6) - (6 if at == ("step", 12) else 0)
    assert resumed[0]["step"] == done
    assert contents(tmp_path) == undisturbed


def test_each_step_stands_once_in_the_metrics(undisturbed):
    lines = [json.loads(line) for line in undisturbed["metrics.jsonl"].splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 21))
    assert all(set(line) == {"step", "loss", "tokens", "lr"} for line in lines)
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_a_torn_line_and_a_half_written_checkpoint_are_forgotten(shapes_run, undisturbed, tmp_path):
    def stop(event):
        if event["event"] == "step" and event["step"] == 16:
            raise StopError

    with pytest.raises(StopError):
        trained(shapes_run, tmp_path, stop)
    with (tmp_path / "metrics.jsonl").open("ab") as metrics:
        metrics.write(b'{"step": 17, "lo')
    (tmp_path / "checkpoints" / ".tmp-checkpoint").mkdir()
    (tmp_path / "checkpoints" / ".tmp-checkpoint" / "model.safetensors").write_bytes(b"half")
    trained(shapes_run, tmp_path)
    assert contents(tmp_path) == undisturbed


def test_finished_training_is_not_done_again(shapes_run, tmp_path):
    first, events = trained(shapes_run, tmp_path, steps="6"), []
    assert trained(shapes_run, tmp_path, events.append, steps="6") == first
    assert [e["event"] for e in events] == ["start", "end"]


def test_starting_over_forgets_what_was_there(shapes_run, tmp_path):
    trained(shapes_run, tmp_path, steps="6")
    settings = {**SETTINGS, "steps": "4"}
    final = train("llava-tiny", shapes_run, str(tmp_path), overrides=settings, resume=False, progress=lambda _: None)
    assert final["steps"] == 4
    assert [p.name for p in checkpoint.saved(tmp_path)] == ["step-00000004"]


def test_a_checkpoint_names_its_data(shapes_run, undisturbed):
    assert [n for n in undisturbed if n.endswith("state.json")] == [
        "checkpoints/step-00000018/state.json",
        "checkpoints/step-00000020/state.json",
    ]
    state = json.loads(undisturbed["checkpoints/step-00000020/state.json"])
    manifest = json.loads(Folder(shapes_run).read("manifest.json"))
    (data,) = state["data"]
    assert data["version"] == manifest["version"]
    assert data["shards"] == [{"name": s["name"], "sha256": s["sha256"]} for s in manifest["shards"]]
    assert (state["step"], state["config"]["seed"], data["samples"]) == (20, 0, 64)


def test_other_data_is_refused(shapes_run, tmp_path):
    trained(shapes_run, tmp_path / "out", steps="6")
    other = write_run(str(tmp_path / "other"), shapes()[:-1])
    with pytest.raises(TrainError, match=r"was fed dataset version \w{12}, but the data given is version \w{12}"):
        trained(other, tmp_path / "out", steps="6")


def test_erased_samples_are_not_skipped_in_silence(tmp_path):
    data = write_run(str(tmp_path / "data"), shapes())
    trained(data, tmp_path / "out", steps="6")
    pq.write_table(pa.table({"key": [ShardReader(data).key(3)]}), tmp_path / "data" / "tombstones.parquet")
    with pytest.raises(TrainError, match=r"fed 64 samples .* of which 63 are left"):
        trained(data, tmp_path / "out", steps="6")


def test_other_settings_are_refused_by_name(shapes_run, tmp_path):
    trained(shapes_run, tmp_path, steps="6")
    with pytest.raises(TrainError, match="steps was 6, now 9"):
        trained(shapes_run, tmp_path, steps="9")


def test_missing_metrics_are_not_papered_over(shapes_run, tmp_path):
    trained(shapes_run, tmp_path, steps="6")
    (tmp_path / "metrics.jsonl").unlink()
    with pytest.raises(TrainError, match="does not hold steps 1 to 6"):
        trained(shapes_run, tmp_path, steps="6")


@pytest.fixture(scope="module")
def finished(shapes_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished")
    trained(shapes_run, out, steps="6")
    return out


@pytest.mark.parametrize(
    "name", ["state.json", "model.safetensors", "optimizer.safetensors", "tokenizer-language.json"]
)
@pytest.mark.parametrize("harm", ["missing", "cut", "changed"])
def test_a_broken_checkpoint_is_one_clear_error(shapes_run, finished, tmp_path, name, harm):
    out = shutil.copytree(finished, tmp_path / "out")
    path = checkpoint.saved(out)[-1] / name
    whole = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(whole[: len(whole) // 2] + (b"" if harm == "cut" else b"\0" + whole[len(whole) // 2 + 1 :]))
    with pytest.raises(TrainError, match="Delete that folder"):
        trained(shapes_run, out, steps="6")


def test_two_at_once_are_refused(shapes_run, tmp_path):
    def second(event):
        if event["event"] == "start":
            with pytest.raises(LockedError, match="another process trains"):
                trained(shapes_run, tmp_path)
            raise StopError

    with pytest.raises(StopError):
        trained(shapes_run, tmp_path, second)


def test_the_control_never_sees_a_picture(make_run, tmp_path):
    """Two runs that differ in their pictures only: alike for the control, and not for the model that looks."""
    colours = ("red", "blue", "green", "cyan")
    said = [("<image>\nWhat?", f"Thing number {n}.") for n in range(4)]
    runs = [
        make_run(sample(str(n), draw(colour, shape, "left"), *said[n]) for n, colour in enumerate(colours))
        for shape in ("circle", "square")
    ]
    lines = {}
    for control in ("true", "false"):
        for number, data in enumerate(runs):
            out = tmp_path / f"{control}-{number}"
            trained(data, out, steps="3", batch_size="4", blank_pictures=control)
            lines[control, number] = (out / "metrics.jsonl").read_bytes()
    assert lines["true", 0] == lines["true", 1]
    assert lines["false", 0] != lines["false", 1]
