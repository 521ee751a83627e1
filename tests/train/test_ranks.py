"""Several processes learn what one learns: the same samples and gradient, one checkpoint for any number of them."""

import json

import pytest
from safetensors.torch import load_file

from curate.errors import TrainError
from curate.train import checkpoint, train

from .processes import together
from .shapes import sample, shapes
from .tiny import SMALL

FEW = {"steps": "4", "batch_size": "8", "checkpoint_every": "2", "warmup_steps": "1", "eval_samples": "8"}


def settings(preset, **more):
    return {**SMALL[preset], **FEW, **more}


def spelled(preset, **more):
    return [f"preset={preset}", *(f"{name}={value}" for name, value in settings(preset, **more).items())]


def alone(preset, data, out, **more):
    train(preset, [data], str(out), overrides=settings(preset, **more), progress=lambda _: None)


def lines(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def assert_alike(one, other, rel=1e-5):
    """The same steps with the same samples, losses and weights that differ by the order of additions alone."""
    for ours, theirs in zip(lines(one), lines(other), strict=True):
        assert {n: v for n, v in ours.items() if n not in {"loss", "losses"}} == {
            n: v for n, v in theirs.items() if n not in {"loss", "losses"}
        }
        assert (ours["loss"] or 0) == pytest.approx(theirs["loss"] or 0, rel=rel)
    weights, others = (load_file(checkpoint.saved(out)[-1] / "model.safetensors") for out in (one, other))
    assert weights.keys() == others.keys()
    for name, tensor in weights.items():
        assert float((tensor - others[name]).norm()) < 100 * rel * max(1e-2, float(tensor.norm())), name


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["blip2-flan-t5-tiny", "fromage-tiny"])
def test_two_processes_learn_what_one_learns(shapes_run, tmp_path, preset):
    alone(preset, shapes_run, tmp_path / "one")
    together(2, shapes_run, tmp_path / "two", *spelled(preset))
    assert_alike(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_gradients_of_two_processes_are_those_of_one(shapes_run, tmp_path):
    """After one step AdamW's first moment is the gradient times 1 - beta1."""
    once = {"steps": "1", "checkpoint_every": "1", "clip_norm": "inf"}
    for preset in ("llava-tiny", "blip2-stage1-tiny"):
        out = tmp_path / preset
        alone(preset, shapes_run, out / "one", **once)
        together(2, shapes_run, out / "two", *spelled(preset, **once))
        first, second = (load_file(checkpoint.saved(out / n)[-1] / "optimizer.safetensors") for n in ("one", "two"))
        moments = [name for name in first if name.endswith(":exp_avg")]
        difference = sum(float((first[n] - second[n]).square().sum()) for n in moments) ** 0.5
        length = sum(float(first[n].square().sum()) for n in moments) ** 0.5
        assert difference < 1e-6 * length


@pytest.mark.slow
def test_divided_weights_learn_the_same_and_load_on_any_number_of_processes(shapes_run, tmp_path):
    """Two processes with divided weights do two steps, one goes on for two, four for the last two."""
    preset = "llava-tiny"
    alone(preset, shapes_run, tmp_path / "one")
    together(2, shapes_run, tmp_path / "many", *spelled(preset), "divided=yes", STOP_AFTER="2")
    assert [p.name for p in checkpoint.saved(tmp_path / "many")] == ["step-00000002"]
    together(4, shapes_run, tmp_path / "many", *spelled(preset), "divided=yes")
    assert_alike(tmp_path / "one", tmp_path / "many")


@pytest.mark.slow
def test_one_process_goes_on_where_two_were_killed(shapes_run, tmp_path):
    """In the middle of an epoch: of 64 samples, 8 a step."""
    preset = "llava-tiny"
    alone(preset, shapes_run, tmp_path / "one")
    together(2, shapes_run, tmp_path / "many", *spelled(preset), STOP_AFTER="3")
    alone(preset, shapes_run, tmp_path / "many")
    assert_alike(tmp_path / "one", tmp_path / "many")


@pytest.mark.slow
def test_a_process_without_usable_samples_stays_in_step(make_run, tmp_path):
    """Half of what each step draws is torn; whoever draws only torn ones waits for the others."""
    torn = [sample(f"torn{n}", b"no picture", "<image>\nWhat?", "Torn.") for n in range(6)]
    data, more = make_run([*shapes()[:6], *torn]), {"max_failed_fraction": "1", "batch_size": "2", "steps": "6"}
    for preset in ("llava-tiny", "blip2-stage1-tiny"):
        out = tmp_path / preset
        alone(preset, data, out / "one", **more)
        together(2, data, out / "two", *spelled(preset, **more))
        assert any(len(line.get("failed", ())) == 1 for line in lines(out / "one"))
        # Of one sample alone much has no gradient but rounding, of which AdamW makes whole steps.
        assert_alike(out / "one", out / "two", rel=1e-3)


def test_a_batch_that_cannot_be_shared_is_refused(shapes_run, tmp_path):
    from curate.train.job import _require_shares
    from curate.train.presets import configure
    from curate.train.ranks import Ranks

    with pytest.raises(TrainError, match="batch_size 8 cannot be shared evenly by 3 processes"):
        _require_shares(configure("llava-tiny", {"batch_size": "8"}), Ranks(0, 3))
