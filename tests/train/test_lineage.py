"""Lineage against what training really read."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import TrainError
from curate.train import trace, train
from curate.train.mixture import Mixture
from tests.run.lines import here

from .shapes import TINY, draw, sample, shapes, write_run

SHORT = {
    **TINY,
    "steps": "5",
    "batch_size": "4",
    "checkpoint_every": "5",
    "warmup_steps": "0",
    "eval_samples": "1",
    "held_out": "3",
    "max_failed_fraction": "1",
}
TORN = sample("torn", draw("red", "circle", "left")[:60], "<image>\nWhat?", "A torn one.")


def with_url(made, url):
    key, members = made
    facts = {**json.loads(dict(members)["json"]), "url": url}
    return key, [("json", json.dumps(facts).encode()), *members[1:]]


SAMPLES = [*(with_url(s, f"http://a/{n}") for n, s in enumerate(shapes()[:12])), TORN, *shapes()[12:14]]


def erase(run, *keys):
    pq.write_table(pa.table({"key": list(keys)}), Path(run) / "tombstones.parquet")


@pytest.fixture
def drawn(monkeypatch):
    """Keys in the order in which training draws them: batch_size of them a step."""
    keys, training = [], Mixture.training
    monkeypatch.setattr(Mixture, "training", lambda self, p: keys.append((p, self.key(at := training(self, p)))) or at)
    return keys


def trained(data, out, drawn, **overrides):
    train("llava-tiny", data, str(out), overrides={**SHORT, **overrides}, progress=lambda _: None)
    by_place = dict(drawn)
    steps, batch = int(overrides.get("steps", SHORT["steps"])), int(SHORT["batch_size"])
    return {p // batch + 1: {by_place[q] for q in range(p, p + batch)} for p in range(0, steps * batch, batch)}


def one(out, key, data=()):
    found = trace(str(out), key=key, data=data, progress=lambda _: None)
    (traced,) = found["samples"]
    assert found["used"] == traced["used"]
    return traced


@pytest.mark.parametrize("mixed", ["one", "together", "weighted"])
@pytest.mark.parametrize("steps", ["2", "5"])
def test_steps_are_those_in_which_a_sample_was_drawn(make_run, tmp_path, drawn, mixed, steps):
    runs = [make_run(SAMPLES)] if mixed == "one" else [make_run(SAMPLES[:10]), make_run(SAMPLES[10:])]
    data = [f"{run}:{n + 1}" for n, run in enumerate(runs)] if mixed == "weighted" else runs
    happened = trained(data, tmp_path / "out", drawn, steps=steps)
    statuses = set()
    for key, _ in SAMPLES:
        found = one(tmp_path / "out", key)
        expected = tuple(step for step, keys in happened.items() if key in keys)
        assert (found["failed_steps"] if key == TORN[0] else found["steps"]) == expected
        statuses.add(found["status"])
        if not expected:
            assert found["status"] in {"held_out", "not_reached"}
    assert "held_out" in statuses
    assert ("not_reached" in statuses) or steps == "5"


def test_failed_held_out_and_foreign_samples_say_so(make_run, tmp_path, drawn):
    trained(make_run(SAMPLES), tmp_path / "out", drawn)
    torn = one(tmp_path / "out", TORN[0])
    assert (torn["status"], torn["steps"], torn["vocabulary"]) == ("failed", (), True)
    foreign = one(tmp_path / "out", "0" * 32)
    assert (foreign["status"], foreign["used"], foreign["vocabulary"]) == ("not_in_data", False, False)
    held_out = [found for key, _ in SAMPLES if (found := one(tmp_path / "out", key))["status"] == "held_out"]
    assert len(held_out) == 3
    assert not any(found["used"] for found in held_out)


def test_what_is_erased_later_is_still_found_and_what_was_erased_before_never_read(make_run, tmp_path, drawn):
    run, (gone, later) = make_run(SAMPLES), (SAMPLES[2][0], SAMPLES[7][0])
    erase(run, gone)
    happened = trained(run, tmp_path / "out", drawn)
    before = [one(tmp_path / "out", key) for key, _ in SAMPLES]
    erase(run, gone, later)
    assert [one(tmp_path / "out", key) for key, _ in SAMPLES] == before
    assert before[2]["status"] == "erased"
    assert not before[2]["used"]
    for (key, _), found in zip(SAMPLES, before, strict=True):
        expected = tuple(step for step, keys in happened.items() if key in keys)
        assert found["steps"] + found["failed_steps"] == expected


def test_data_that_moved_or_changed(make_run, tmp_path, drawn):
    run = make_run(SAMPLES)
    trained(run, tmp_path / "out", drawn)
    key = SAMPLES[0][0]
    expected = one(tmp_path / "out", key)
    shutil.move(run, tmp_path / "moved")
    assert one(tmp_path / "out", key, [str(tmp_path / "moved")]) == expected
    write_run(run, SAMPLES[:9])
    with pytest.raises(TrainError, match=r"was fed dataset version .* but the run there is version"):
        one(tmp_path / "out", key)
    with pytest.raises(TrainError, match="was fed 1 runs; give --data for each"):
        one(tmp_path / "out", key, [run, run])
    (tmp_path / "out" / "metrics.jsonl").unlink()
    with pytest.raises(TrainError, match="it alone says which samples were drawn but could not be used"):
        one(tmp_path / "out", key, [str(tmp_path / "moved")])


def test_a_checkpoint_that_started_from_another_names_it(make_run, tmp_path, drawn):
    first, second = make_run(SAMPLES[:6]), make_run(SAMPLES[6:12])
    trained(first, tmp_path / "first", drawn)
    trained(second, tmp_path / "second", drawn, start_from=str(tmp_path / "first"))
    found = trace(str(tmp_path / "second"), key=SAMPLES[0][0], progress=lambda _: None)
    assert not found["used"]
    assert found["started_from"] == str(tmp_path / "first")
    assert trace(str(tmp_path / "first"), key=SAMPLES[0][0], progress=lambda _: None)["started_from"] == ""


def test_key_or_url(make_run, tmp_path, drawn):
    trained(make_run(SAMPLES), tmp_path / "out", drawn)
    events = []
    found = trace(str(tmp_path / "out"), url="http://a/4", progress=events.append)
    assert [s["key"] for s in found["samples"]] == [SAMPLES[4][0]]
    assert events == [{"event": "searched", "samples": 0, "of": 15}]
    nothing = trace(str(tmp_path / "out"), url="http://a/", progress=events.append)
    assert (nothing["samples"], nothing["used"]) == ([], False)
    for neither in ({}, {"key": "a", "url": "b"}):
        with pytest.raises(TrainError, match="give a sample's --key, or the --url"):
            trace(str(tmp_path / "out"), **neither, progress=events.append)


@pytest.mark.slow
def test_the_command_says_it_by_words_status_and_json(make_run, tmp_path, drawn):
    happened = trained(make_run(SAMPLES), tmp_path / "out", drawn)
    key = next(key for key in sorted(happened[2]) if key != TORN[0])
    done = here("trace", tmp_path / "out", "--key", key)
    assert done.returncode == 0
    assert "the model learned from it\n  learned from in " in done.stdout
    done = here("trace", tmp_path / "out", "--key", "0" * 32, "--json")
    assert done.returncode == 1
    assert [s["status"] for s in json.loads(done.stdout)["samples"]] == ["not_in_data"]
    assert done.stderr == ""
    done = here("trace", tmp_path / "out", "--url", "http://nowhere/")
    assert done.returncode == 1
    assert "no sample of the data came from http://nowhere/" in done.stdout
