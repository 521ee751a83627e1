"""What training would be, against what it is."""

import json

import pytest

import curate.train
from curate.train import forecast, preset_table, train
from curate.train.architectures import kind_of
from curate.train.counting import activation_bytes, count
from curate.train.learner import build
from curate.train.presets import configure, presets

from .shapes import draw, sample, shapes
from .tiny import SMALL


def test_every_preset_has_a_row():
    rows = {row["preset"]: row for row in preset_table()}
    assert rows.keys() == presets().keys()
    assert (rows["blip2-opt-2.7b"]["learns"], rows["blip2-opt-2.7b"]["total"]) == (107_133_696, 3_744_625_024)
    assert rows["blip2-opt-2.7b"]["needs"] == ["vision_from", "language_from"]
    assert rows["llava-tiny"]["needs"] == []


@pytest.mark.parametrize("preset", sorted(SMALL))
def test_what_is_counted_is_what_is_built(preset):
    config = configure(preset, SMALL[preset])
    counted, model = count(config), build(config)
    assert counted.total == sum(p.numel() for p in model.parameters())
    assert counted.learns == sum(p.numel() for p in model.learns().values())
    assert sum(part.parameters for part in counted.parts) == counted.total
    assert counted.weight_bytes == 4 * counted.total + 12 * counted.learns


def test_half_precision_halves_what_is_frozen_alone():
    config = configure("fromage-tiny", SMALL["fromage-tiny"])
    half = count(config.model_copy(update={"precision": "bfloat16"}))
    whole = count(config)
    assert whole.weight_bytes - half.weight_bytes == 2 * (whole.total - whole.learns)


def test_activations_grow_with_the_batch_and_shrink_when_computed_twice():
    config = configure("llava-tiny", {})
    model = kind_of(config).model(config)
    kept = activation_bytes(config, model, 100, 8)
    assert kept == 2 * activation_bytes(config, model, 100, 4) == 34 * 2 * 100 * 8 * 128 * 2
    again = activation_bytes(config.model_copy(update={"checkpoint_activations": True}), model, 100, 8)
    assert again * 17 == kept


def test_tokens_and_usable_samples_are_those_of_training(make_run, tmp_path):
    """One epoch: the labelled tokens that training counts are those that were told before."""
    bad = [sample("unasked", draw("red", "circle", "left"), "What?", "Unasked.")]
    data = make_run([*shapes()[:15], *bad])
    settings = {**SMALL["llava-tiny"], "steps": "2", "batch_size": "8", "max_failed_fraction": "1"}
    told = forecast("llava-tiny", data, overrides=settings)
    train("llava-tiny", data, str(tmp_path), overrides=settings, progress=lambda _: None)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert told["labelled_tokens"] * 15 / 16 == pytest.approx(sum(line["tokens"] for line in lines))
    assert told["usable"] == 15 / 16
    assert told["unusable"] == {"pictures_and_placeholders_differ": 1}
    assert (told["samples"], told["epochs"]) == (16, 1)


def test_weights_that_are_not_named_are_told_and_nothing_is_read(shapes_run):
    told = forecast("llava-1.5-7b", shapes_run, overrides={})
    assert told["needs"] == ["vision_from", "language_from"]
    assert "vocabulary of language" in told["unread"]
    assert told["learns"] == 6_759_395_328


def test_the_table_does_not_put_a_module_in_place_of_the_function():
    preset_table()
    assert callable(curate.train.forecast)
