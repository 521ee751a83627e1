"""Training on stored features: the same losses as on pictures, or none of them."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from curate.errors import TrainError
from curate.train import store_features, train
from curate.train.features import cast
from curate.train.pictures import Transform

from .shapes import TINY, draw, sample, shapes

FROZEN = {
    **TINY,
    "trainable": "projector,language",
    "steps": "4",
    "batch_size": "8",
    "checkpoint_every": "4",
    "warmup_steps": "0",
    "eval_samples": "8",
    "held_out": "4",
    "max_failed_fraction": "0.5",
}


def trained(data, out, **overrides):
    events = []
    final = train("llava-tiny", data, str(out), overrides={**FROZEN, **overrides}, progress=events.append)
    losses = [json.loads(line) for line in (Path(out) / "metrics.jsonl").read_text().splitlines()]
    return losses, final, [e for e in events if e["event"] == "features"]


def stored(run, dtype="float32", **overrides):
    events = []
    made = store_features("llava-tiny", run, overrides={**FROZEN, **overrides}, dtype=dtype, progress=events.append)
    return made, events


@pytest.fixture
def run(make_run):
    """Pictures, text alone, and broken pictures, over two shards."""
    odd = [
        sample("torn", draw("red", "circle", "left")[:60], "<image>\nWhat?", "A torn one."),
        sample("talk", None, "Say so.", "So."),
    ]
    return make_run([*shapes()[:20], *odd, *shapes()[20:30]])


@pytest.fixture
def blind(monkeypatch):
    """Make sure that no more than the proof's pictures are decoded."""
    decoded = []
    decode = Transform.decode
    monkeypatch.setattr(Transform, "decode", lambda *args: decoded.append(1) or decode(*args))
    return decoded


def test_float32_features_give_the_losses_of_pictures(run, tmp_path, blind):
    live = trained(run, tmp_path / "live")
    made, events = stored(run)
    assert (made["shards"], made["made"], made["pictures"]) == (2, 2, 30)
    assert [event["shard"] for event in events] == ["00000.tar", "00001.tar"]
    blind.clear()
    cached = trained(run, tmp_path / "cached")
    assert len(blind) <= 9
    assert live[2] == []
    assert cached[2] == [{"event": "features", "used": True, "said": cached[2][0]["said"]}]
    assert made["fingerprint"] in cached[2][0]["said"]
    for then, now in zip(live[0], cached[0], strict=True):
        assert now == {**then, "loss": pytest.approx(then["loss"], rel=1e-6)}
    assert cached[1] == {k: pytest.approx(v, rel=1e-5) if "loss" in k else v for k, v in live[1].items()}


FROZEN_PRESETS = (
    "blip2-stage1-tiny",
    "blip2-opt-tiny",
    "blip2-flan-t5-tiny",
    "instructblip-tiny",
    "minigpt4-tiny",
    "fromage-tiny",
)


@pytest.mark.parametrize("preset", FROZEN_PRESETS)
def test_every_architecture_with_frozen_towers_learns_the_same_from_features(make_run, tmp_path, preset):
    run = make_run(captioned(n, picture) for n, picture in enumerate(shapes()[:12]))
    overrides = {"steps": "2", "batch_size": "4", "eval_samples": "4", "checkpoint_every": "2"}
    lines = []
    for out in ("live", "cached"):
        events = []
        train(preset, run, str(tmp_path / out), overrides=overrides, progress=events.append)
        lines.append([json.loads(line) for line in (tmp_path / out / "metrics.jsonl").read_text().splitlines()])
        assert [e["used"] for e in events if e["event"] == "features"] == ([True] if out == "cached" else [])
        store_features(preset, run, overrides=overrides, dtype="float32", progress=events.append)
    live, cached = lines
    assert [line["loss"] for line in cached] == pytest.approx([line["loss"] for line in live], rel=1e-5)


def test_architectures_that_see_the_same_share_features(make_run, tmp_path):
    """The states of BLIP-2's tower are stored once for its stages and InstructBLIP; MiniGPT-4 sees something else."""
    run, quiet = make_run(shapes()[:12]), {"overrides": {}, "progress": lambda _: None}
    names = [store_features(preset, run, dtype="float32", **quiet)["features"] for preset in FROZEN_PRESETS]
    assert len(set(names[:4])) == 1
    assert len(set(names)) == 3


def captioned(number, made):
    """Put a caption and a ranked list of them beside a conversation."""
    key, members = made
    facts = json.loads(dict(members)["json"])
    caption = facts["conversations"][1]["value"]
    said = {**facts, "caption": caption}
    return key, [("json", json.dumps(said).encode()), *members[1:]]


def test_float16_features_give_them_within_its_rounding(run, tmp_path):
    live = trained(run, tmp_path / "live")
    stored(run, "float16")
    cached = trained(run, tmp_path / "cached")
    assert cached[2][0]["used"]
    assert [line["loss"] for line in cached[0]] == pytest.approx([line["loss"] for line in live[0]], rel=2e-3)


def test_a_model_in_bfloat16_learns_from_features_within_its_rounding(run, tmp_path):
    live = trained(run, tmp_path / "live", precision="bfloat16")
    stored(run, "float16", precision="bfloat16")
    cached = trained(run, tmp_path / "cached", precision="bfloat16")
    assert cached[2][0]["used"]
    assert [line["loss"] for line in cached[0]] == pytest.approx([line["loss"] for line in live[0]], rel=1e-2)
    assert not trained(run, tmp_path / "precise")[2][0]["used"]


def test_blank_pictures_are_blank_by_features_too(run, tmp_path):
    live = trained(run, tmp_path / "live", blank_pictures="true")
    stored(run)
    cached = trained(run, tmp_path / "cached", blank_pictures="true")
    assert cached[2][0]["used"]
    assert [line["loss"] for line in cached[0]] == pytest.approx([line["loss"] for line in live[0]], rel=1e-6)


@pytest.mark.parametrize("changed", [{"seed": "1"}, {"pictures": "squeeze"}, {"max_pixels": "1000000"}])
def test_other_weights_or_settings_have_no_features(run, tmp_path, changed):
    stored(run)
    _, _, events = trained(run, tmp_path / "out", **changed)
    (event,) = events
    assert not event["used"]
    assert f"{run} has none of these weights, settings and shards" in event["said"]


def test_an_optimizer_setting_changes_nothing_that_is_stored(run, tmp_path):
    stored(run)
    assert trained(run, tmp_path / "out", learning_rate="1e-5", batch_size="4")[2][0]["used"]


def test_features_of_some_sources_are_of_no_use(run, make_run, tmp_path):
    other = make_run(shapes()[30:40])
    stored(run)
    live, _, (event,) = trained([run, other], tmp_path / "some")
    assert not event["used"]
    assert f"{other} has none" in event["said"]
    assert run + "," not in event["said"]
    stored(other)
    losses, _, (event,) = trained([run, other], tmp_path / "all")
    assert event["used"]
    assert [line["loss"] for line in losses] == pytest.approx([line["loss"] for line in live], rel=1e-6)


def test_towers_that_learn_have_none(run, tmp_path):
    with pytest.raises(TrainError, match=r"vision learns.*leave it out of trainable"):
        stored(run, trainable="vision,projector")
    with pytest.raises(TrainError, match="pictures=random_crop shows a picture differently"):
        stored(run, pictures="random_crop")
    stored(run)
    (event,) = trained(run, tmp_path / "out", trainable="vision,projector")[2]
    assert not event["used"]
    assert "vision learns" in event["said"]


def test_making_goes_on_where_it_was_stopped(run):
    made, _ = stored(run)
    first = Path(made["features"]) / "00000.npy"
    before = first.stat().st_mtime_ns
    (Path(made["features"]) / "00001.json").unlink()
    again, events = stored(run)
    assert again["made"] == 1
    assert [event["shard"] for event in events] == ["00001.tar"]
    assert first.stat().st_mtime_ns == before
    assert again["fingerprint"] == made["fingerprint"]


def test_features_that_are_not_the_model_s_are_refused(run, tmp_path):
    made, _ = stored(run)
    for path in Path(made["features"]).glob("*.npy"):
        table = np.load(path)
        np.save(path, table + np.float32(0.01))
    with pytest.raises(TrainError, match="does not hold what the model says of its pictures: the largest difference"):
        trained(run, tmp_path / "out")


def test_erased_samples_are_never_looked_at_and_hidden_later(run, tmp_path):
    keys = [key for key, _ in shapes()[:20]]
    pq.write_table(pa.table({"key": [keys[3]]}), Path(run) / "tombstones.parquet")
    made, _ = stored(run)
    assert made["pictures"] == 29
    record = json.loads((Path(made["features"]) / "00000.json").read_bytes())
    assert record["missing"] == {"3": "erased", "20": "picture_unreadable", "21": "picture_missing"}
    assert not np.load(Path(made["features"]) / "00000.npy")[3].any()
    pq.write_table(pa.table({"key": [keys[3], keys[7]]}), Path(run) / "tombstones.parquet")
    cached = trained(run, tmp_path / "cached")
    assert cached[2][0]["used"]
    for path in Path(made["features"]).iterdir():
        path.unlink()
    live = trained(run, tmp_path / "live")
    assert not live[2][0]["used"]
    assert [line["loss"] for line in cached[0]] == pytest.approx([line["loss"] for line in live[0]], rel=1e-6)


def test_what_float16_cannot_hold_is_an_error():
    assert cast(torch.tensor([65504.0]), "float16") == [65504]
    with pytest.raises(TrainError, match="give --dtype float32"):
        cast(torch.tensor([1e6]), "float16")


def test_an_unknown_dtype_is_refused(run):
    with pytest.raises(TrainError, match="give float32 or float16"):
        stored(run, "int8")
