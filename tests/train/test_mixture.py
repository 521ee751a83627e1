"""Runs mixed: from the command line's spelling to the losses of a step."""

import json
from pathlib import Path

import pytest

from curate.errors import TrainError
from curate.train import store_features, train
from curate.train.mixture import open_mixture, split_weight
from curate.train.presets import configure

from .processes import together
from .shapes import TINY, shapes

SHORT = {**TINY, "steps": "4", "batch_size": "8", "checkpoint_every": "2", "warmup_steps": "0", "eval_samples": "8"}
CONFIG = configure("llava-tiny", SHORT)


def trained(data, out, **overrides):
    return train("llava-tiny", data, str(out), overrides={**SHORT, **overrides}, progress=lambda _: None)


def state(out, step=4):
    return json.loads((out / "checkpoints" / f"step-{step:08d}" / "state.json").read_text())


@pytest.fixture
def pair(make_run):
    return make_run(shapes()[:16]), make_run(shapes()[16:40])


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("runs/a", ("runs/a", "")),
        ("runs/a:2", ("runs/a", "2")),
        ("s3://b/x", ("s3://b/x", "")),
        ("s3://b/x:0.5", ("s3://b/x", "0.5")),
        ("a:b:sqrt", ("a:b", "sqrt")),
        ("2", ("2", "")),
        (":2", (":2", "")),
    ],
)
def test_a_weight_stands_behind_the_last_colon(text, split):
    assert split_weight(text) == split


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ((":1", ""), "has no weight, but other data has. Give every run one"),
        ((":1", ":sqrt"), "numbers or 'sqrt', not both"),
        ((":1", ":0"), ":0: a weight is a number over 0"),
        ((":1", ":-2"), "a weight is a number over 0"),
        ((":nan", ":1"), "a weight is a number over 0"),
        ((":inf", ":1"), "a weight is a number over 0"),
    ],
)
def test_weights_that_make_no_sense_are_refused(pair, weights, said):
    with pytest.raises(TrainError, match=said):
        open_mixture([run + weight for run, weight in zip(pair, weights, strict=True)], CONFIG)


def test_no_data_is_an_error():
    with pytest.raises(TrainError, match="name at least one run"):
        open_mixture([], CONFIG)


def test_sqrt_weighs_by_the_root_of_the_size(pair):
    mixture = open_mixture([f"{run}:sqrt" for run in pair], CONFIG)
    assert [source.weight for source in mixture.sources] == [4, pytest.approx(24**0.5)]


def test_samples_are_read_from_the_source_they_stand_in(pair):
    mixture = open_mixture(pair, CONFIG)
    keys = [mixture.key(mixture.training(place)) for place in range(40)]
    assert sorted(keys) == sorted(key for key, _ in shapes()[:40])
    read = {mixture.key(at): mixture.read(at) for at in map(mixture.training, range(40))}
    assert read == {key: dict(members) for key, members in shapes()[:40]}
    assert sorted(mixture.number(mixture.training(place)) for place in range(40)) == list(range(40))


def test_one_run_trains_as_it_would_without_any_mixing(pair, make_run, tmp_path):
    """The same samples in one run or in two in a row are the same numbers, and so give the same losses."""
    whole = make_run(shapes()[:40])
    trained(whole, tmp_path / "one")
    trained(list(pair), tmp_path / "two")
    one, two = ((tmp_path / out / "metrics.jsonl").read_text() for out in ("one", "two"))
    assert one == two


def test_a_checkpoint_names_every_source_and_going_on_refuses_others(pair, tmp_path):
    data = [f"{pair[0]}:3", f"{pair[1]}:1"]
    final = trained(data, tmp_path / "out")
    origins = state(tmp_path / "out")["data"]
    assert [origin["weight"] for origin in origins] == [3, 1]
    assert [origin["version"] for origin in origins] == final["data_versions"]
    assert [origin["samples"] for origin in origins] == [16, 24]
    trained(data, tmp_path / "out")
    for other, said in (
        ([f"{pair[0]}:2", f"{pair[1]}:1"], "weights of its data were other"),
        (pair, "weights of its data were other"),
        (data[:1], "was fed 2 runs, now 1"),
        ([f"{pair[1]}:3", f"{pair[0]}:1"], "was fed dataset version"),
    ):
        with pytest.raises(TrainError, match=said):
            trained(other, tmp_path / "out")


def test_a_weighted_run_goes_on_as_if_never_disturbed(pair, tmp_path):
    data = [f"{run}:sqrt" for run in pair]
    trained(data, tmp_path / "whole", held_out="4")
    trained(data, tmp_path / "again", held_out="4")
    newest = tmp_path / "again" / "checkpoints" / "step-00000004"
    for path in newest.iterdir():
        path.unlink()
    newest.rmdir()
    trained(data, tmp_path / "again", held_out="4")
    for name in ("metrics.jsonl", "final.json", "checkpoints/step-00000004/model.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.slow
def test_two_processes_learn_from_a_mixture_with_features_and_a_broken_shard_what_one_does(pair, tmp_path):
    """Places, stored features, and shards that only one of the two meets: the same samples, whoever reads them."""
    overrides = {**SHORT, "trainable": "projector,language", "max_broken_shards": "1", "steps": "6"}
    for run in pair:
        store_features("llava-tiny", run, overrides=overrides, dtype="float32", progress=lambda _: None)
    (Path(pair[1]) / "shards" / "00000.idx").unlink()
    data = [f"{pair[0]}:1", f"{pair[1]}:3"]
    events = []
    train("llava-tiny", data, str(tmp_path / "one"), overrides=overrides, progress=events.append)
    said = together(2, ",".join(data), tmp_path / "two", *(f"{name}={value}" for name, value in overrides.items()))
    assert [line.split()[0] for line in said.splitlines()] == [event["event"] for event in events]
    assert {"features", "shard_damaged"} <= {event["event"] for event in events}
    one, two = (metrics(tmp_path / out) for out in ("one", "two"))
    assert [line.get("failed") for line in one] == [line.get("failed") for line in two]
    assert sum(len(line.get("failed", ())) for line in one) > 6
    assert [line["loss"] for line in two] == pytest.approx([line["loss"] for line in one], rel=1e-5)


def metrics(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_nothing_left_to_train_on_is_an_error(pair, tmp_path):
    with pytest.raises(TrainError, match="holds 40 samples, of which held_out takes 40: none is left"):
        trained(pair, tmp_path / "out", held_out="40")
