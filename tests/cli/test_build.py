"""URLs to a trained model with one command: what it does, what it skips, and that no kill changes anything."""

import json
import random
import subprocess
import time
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from curate.cli.build import planned
from curate.errors import RecipeError
from curate.recipe import parse_recipe
from tests.fetch.web import Web, serving
from tests.run.lines import CURATE, command, here, published, spelled
from tests.train.shapes import shapes
from tests.train.tiny import SMALL

SETTINGS = SMALL["minigpt4-tiny"] | {
    "steps": 6, "batch_size": 8, "checkpoint_every": 2, "warmup_steps": 0, "eval_samples": 4,
    "trainable": ["projector", "language"],
}  # fmt: skip
STEPS = ("run", "check", "features", "train", "evaluate")


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    """A server of 64 drawings, and a recipe from their URLs to a model."""
    root = tmp_path_factory.mktemp("build")
    rows = [(f"/{key}.png", dict(members)) for key, members in shapes()]
    with serving(Web({path: members["png"] for path, members in rows})) as web:
        captions = [json.loads(members["json"])["caption"] for _, members in rows]
        pq.write_table(pa.table({"url": [web.url(p) for p, _ in rows], "caption": captions}), root / "urls.parquet")
        tree = {
            "name": "drawings",
            "source": {"urls": {"path": str(root / "urls.parquet"), "partition_size": 8}},
            "stages": [{"fetch": {"allow_hosts": [web.host]}}, {"short_side": {"at_least": 16}}],
            "sink": {"webdataset": {"samples_per_shard": 8}},
            "train": {"preset": "minigpt4-tiny", "settings": SETTINGS, "evaluate": {"samples": 4}},
        }
        recipe = root / "drawings.yaml"
        recipe.write_text(yaml.safe_dump(tree))
        yield SimpleNamespace(recipe=recipe, web=web)


def line(drawings, out):
    out.mkdir(exist_ok=True)
    words = ["build", drawings.recipe, "--local", "--json", "--out", out / "run", "--set", f"train.out={out / 'model'}"]
    return [*map(str, words)]


def made(out):
    """Return the bytes of all that a build leaves, but for what says where it was."""
    model = {p.relative_to(out).as_posix(): p.read_bytes() for p in (out / "model").rglob("*") if p.is_file()}
    features = {p.name: p.read_bytes() for p in (out / "run" / "features").rglob("*") if p.is_file()}
    told = {name: data.replace(str(out).encode(), b"OUT") for name, data in model.items() if name.endswith(".json")}
    return published(out / "run") | features | model | told  # a checkpoint names its run


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def begun(text):
    return [event["what"] for event in events(text) if event.get("event") == "begin"]


@pytest.fixture(scope="module")
def undisturbed(drawings, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    done = command(*line(drawings, out))
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(out=out, said=done.stdout)


@pytest.mark.slow
def test_it_runs_checks_looks_and_trains_then_has_nothing_left_to_do(drawings, undisturbed):
    assert begun(undisturbed.said) == list(STEPS)
    last = events(undisturbed.said)[-1]
    assert last == {"event": "finished", **json.loads((undisturbed.out / "model" / "final.json").read_bytes())}
    assert (last["samples"], last["steps"]) == (64, 6)
    report = json.loads((undisturbed.out / "model" / "evaluation.json").read_bytes())
    assert report["samples"] == 4
    assert {"real", "blank", "shuffled"} == set(next(iter(report["scores"].values())))
    assert [e["used"] for e in events(undisturbed.said) if e.get("event") == "features" and "used" in e] == [True]
    requests, before = dict(drawings.web.requests), made(undisturbed.out)
    again = command(*line(drawings, undisturbed.out))
    assert again.returncode == 0, again.stderr
    assert begun(again.stdout) == ["run"]
    assert events(again.stdout)[-1] == last
    assert (dict(drawings.web.requests), made(undisturbed.out)) == (requests, before)


@pytest.mark.slow
def test_killed_once_in_each_step_it_ends_with_the_same_bytes(drawings, undisturbed, tmp_path):
    moments = random.Random(7)
    writing = [step for step in STEPS if step != "check"]  # which leaves nothing behind
    killed = [kill_in(line(drawings, tmp_path), step, moments.uniform(0, 0.3)) for step in writing]
    assert killed == writing
    done = command(*line(drawings, tmp_path))
    assert done.returncode == 0, done.stderr
    assert set(begun(done.stdout)) <= {"run", "evaluate"}  # what was done before is not done again
    assert made(tmp_path) == made(undisturbed.out)


def kill_in(words, step, seconds):
    """Kill the command a while after a step begins, training after a checkpoint; return the step that it was in."""
    process = subprocess.Popen([CURATE, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found = ""
    for told in process.stdout:
        event = json.loads(told)
        if event.get("event") == "begin":
            found = event["what"]
        if found == step and (step != "train" or event.get("event") == "checkpoint"):
            break
    time.sleep(seconds if step in {"run", "features"} else 0)  # the others are quick
    process.kill()
    process.stdout.close()
    assert process.wait(30) == -9
    return found


@pytest.mark.slow
def test_other_settings_need_another_folder(drawings, undisturbed):
    done = here(*line(drawings, undisturbed.out), "--set", "train.settings.learning_rate=1e-2")
    assert done.returncode == 1
    assert "holds a training run with other settings: learning_rate was 0.001, now 0.01" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("train", "fault"),
    [
        ("{preset: llava-tny}", "no preset named 'llava-tny'. Did you mean 'llava-tiny'?"),
        ("{preset: llava-tiny, settings: {stepps: 3}}", "no training option named 'stepps'. Did you mean 'steps'?"),
    ],
)
def test_what_the_trainer_does_not_know_is_told_with_its_line(train, fault):
    text = f"{spelled()}train: {train}\n"
    with pytest.raises(RecipeError) as refused:
        planned(parse_recipe(text.encode(), "n.yaml"))
    assert refused.value.faults == [f"n.yaml:{len(text.splitlines())}: train: {fault}"]


@pytest.mark.slow
def test_a_wrong_preset_is_told_before_any_work(tmp_path):
    recipe = tmp_path / "lines.yaml"
    recipe.write_text(f"{spelled()}train: {{preset: llava-tny}}\n")
    done = here("build", recipe, "--local", "--out", tmp_path / "run")
    assert done.returncode == 1
    assert "train: no preset named 'llava-tny'. Did you mean 'llava-tiny'?" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_recipe_without_the_section_is_not_built(tmp_path):
    recipe = tmp_path / "lines.yaml"
    recipe.write_text(spelled())
    done = here("build", recipe, "--local", "--out", tmp_path / "run")
    assert done.returncode == 1
    assert done.stderr == "curate: lines: has no section 'train'. Write `train: {preset: llava-tiny}`, or use run\n"


def test_a_plan_tells_what_follows():
    text = f"{spelled()}train: {{preset: minigpt4-tiny, settings: {{steps: 7}}}}\n".encode()
    plan = planned(parse_recipe(text, "n.yaml"))
    training = "7 steps of minigpt4-tiny into lines-model; evaluate"
    assert plan.told() == [f"then `curate build`: check; features of frozen towers; {training}"]
    none = planned(parse_recipe(text, "n.yaml", ["train.features=false"]))
    assert none.told() == [f"then `curate build`: check; no features are stored: features is false; {training}"]
    unmeasured = planned(parse_recipe(text, "n.yaml", ["train.evaluate=false"]))
    assert unmeasured.told()[0].endswith("into lines-model")
    learning = planned(parse_recipe(text, "n.yaml", ["train.preset=llava-tiny"]))
    assert "no features are stored: vision learns" in learning.told()[0]


@pytest.mark.slow
def test_the_plan_command_tells_it_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "lines.yaml"
    recipe.write_text(f"{spelled()}train: {{preset: minigpt4-tiny}}\n")
    told = here("plan", recipe, "--set", "train.settings.steps=7").stdout
    assert "7 steps of minigpt4-tiny into lines-model" in told
    printed = json.loads(here("plan", recipe, "--json", "--set", "train.preset=llava-tiny").stdout)
    assert printed["train"] == {
        "preset": "llava-tiny", "settings": {}, "out": "lines-model", "features": False, "steps": 850,
        "evaluate": {"samples": None, "controls": True, "max_new_tokens": 40},
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["lines.yaml"]
