"""The command line: help, exit statuses, JSON for machines, and no traceback for anything a user can cause."""

import json
import subprocess

import pytest

from curate.cli.app import app
from tests.run.lines import CURATE, command, spelled

COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "lines.yaml"
    path.write_text(spelled())
    return path


@pytest.fixture
def out(recipe, tmp_path):
    assert command("run", recipe, "--out", tmp_path / "run", "--local").returncode == 0
    return tmp_path / "run"


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_works(name):
    done = command(*name.split(), "--help")
    assert done.returncode == 0
    assert f"Usage: curate {name}".strip() in done.stdout
    assert all(c in done.stdout for c in COMMANDS if not name)


def test_run_prints_books_that_balance(recipe, tmp_path):
    done = command("run", recipe, "--out", tmp_path / "run", "--local")
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["stage", "in", "kept", "dropped", "failed", "why"]
    for stage, entered, kept, dropped, failed, *_ in rows[1:-1]:
        assert int(entered) == int(kept) + int(dropped) + int(failed), stage
    assert done.stdout.splitlines()[-1].startswith(f"8 samples in 2 shards at {tmp_path}/run/shards, version ")
    assert "103 samples listed in 6 partitions" in done.stderr


def test_run_speaks_json(recipe, tmp_path):
    done = command("run", recipe, "--out", tmp_path / "run", "--local", "--json")
    events = json_lines(done.stdout)
    assert [e["event"] for e in events if e["event"] not in {"partition", "round"}] == [
        "listed", "phase", "reduce", "phase", "reduce", "phase", "publish", "shard", "shard", "complete", "finished",
    ]  # fmt: skip
    assert sum(e["event"] == "partition" for e in events) == 18
    assert events[-1]["samples"] == 8
    assert events[-1]["stages"]["line_number"] == {"in": 88, "kept": 79, "dropped": {"above_at_most": 9}, "failed": {}}


def test_a_setting_is_changed_on_the_command_line(recipe, tmp_path):
    line = ("run", recipe, "--out", tmp_path / "run", "--local", "--json", "--set", "line_number.at_most=50")
    assert json_lines(command(*line).stdout)[-1]["stages"]["line_number"]["kept"] == 44


def test_plan_says_what_would_run_and_writes_nothing(recipe, tmp_path):
    done = command("plan", recipe, "--out", tmp_path / "run")
    assert done.returncode == 0
    assert "103 samples in 6 partitions" in done.stdout
    assert "not measured yet" in done.stdout
    assert not (tmp_path / "run").exists()
    (told,) = json_lines(command("plan", recipe, "--out", tmp_path / "run", "--json").stdout)
    assert (told["rows"], told["partitions"]) == (103, 6)


def test_plan_knows_what_is_stored(recipe, out):
    (told,) = json_lines(command("plan", recipe, "--out", out, "--json").stdout)
    assert {line["stage"]: line["stored"] for line in told["lines"]}["line_number"] == 88


def test_check_tells_sound_from_unsound(out):
    sound = command("check", out)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert "books balance" in sound.stdout
    (out / "shards" / "00001.idx").unlink()
    broken = command("check", out)
    assert broken.returncode == 1
    assert "00001.idx" in broken.stdout
    (told,) = json_lines(command("check", out, "--json").stdout)
    assert told["faults"] == broken.stdout.splitlines()


def test_retry_and_purge(tmp_path):
    up, recipe, out = tmp_path / "up", tmp_path / "lines.yaml", tmp_path / "run"
    recipe.write_text(spelled({"flaky": {"until": str(up)}}))
    stopped = command("run", recipe, "--out", out, "--local")
    assert stopped.returncode == 1
    assert "flaky: " in stopped.stderr
    assert f"curate retry {out}" in stopped.stderr
    up.touch()
    retried = command("retry", out, "--local")
    assert retried.returncode == 0
    assert "failed samples to try again" in retried.stdout
    purged = command("purge", out)
    assert purged.stdout == f"deleted the raw samples of 6 partitions at {out}/work\n"
    assert command("check", out).returncode == 0
    refused = command("run", recipe, "--out", out, "--local", "--set", "webdataset.samples_per_shard=3")
    assert refused.returncode == 1
    assert "Run the recipe into another --out" in refused.stderr


def test_stages_are_listed_and_told():
    listed = command("stages")
    assert listed.returncode == 0
    assert "short_side" in listed.stdout
    told = command("stages", "short_side")
    assert all(word in told.stdout for word in ("at_least", "width, height", "filters.short_side", "decides only"))
    (every,) = json_lines(command("stages", "--json").stdout)
    (one,) = json_lines(command("stages", "short_side", "--json").stdout)
    assert every["short_side"] == one


def test_models_of_a_recipe_without_any(recipe):
    assert command("models", recipe).returncode == 0


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ((), 2, "Usage: curate"),
        (("rum",), 2, "No such command 'rum'"),
        (("run",), 2, "Missing argument 'RECIPE'"),
        (("run", "{recipe}", "--wrokers", "2"), 2, "No such option: --wrokers"),
        (("run", "{recipe}", "--workers", "0"), 2, "greater than or equal to 1"),
        (("run", "{tmp}/none.yaml"), 1, "none.yaml: No such file or directory"),
        (("run", "{tmp}"), 1, "Is a directory"),
        (("run", "{recipe}", "--set", "shout.volume=3", "--local"), 1, "shout: no option named 'volume'"),
        (("run", "{recipe}", "--out", "{recipe}/x", "--local"), 1, "Make room or mend access"),
        (("run", "{recipe}", "--out", "{recipe}", "--local"), 1, "lines.yaml"),
        (("run", "{recipe}", "--out", "{tmp}/r", "--work", "{recipe}/x", "--local"), 1, "Make room or mend access"),
        (("run", "{recipe}", "--out", "nonsense://x", "--local"), 1, "nonsense://x: cannot be opened"),
        (("plan", "{tmp}/none.yaml"), 1, "none.yaml: No such file or directory"),
        (("check", "{tmp}/none"), 1, "no finished run here"),
        (("retry", "{tmp}/none"), 1, "no run here"),
        (("purge", "{tmp}/none"), 1, "no run here"),
        (("stages", "short_sid"), 1, "Did you mean 'short_side'?"),
        (("train", "llava-tiny", "--data", "{tmp}/none", "--set", "x"), 1, "curate: "),
        (("generate", "{tmp}/none", "--image", "{tmp}/none.jpg"), 2, "does not exist"),
    ],
)
def test_what_a_user_can_cause_is_one_message(recipe, tmp_path, line, status, says):
    done = command(*(word.format(recipe=recipe, tmp=tmp_path) for word in line))
    assert done.returncode == status, done
    assert says in done.stderr + (done.stdout if not line else "")
    assert "Traceback" not in done.stderr


def test_a_reader_that_stops_early_is_no_error():
    line = ["bash", "-c", f"{CURATE} stages --json | true"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
