import math

import pytest
import torch

from curate.train.architectures.llava import Llava
from curate.train.optimizer import learning_rate, optimizer_for
from curate.train.presets import configure

from .tiny import SMALL

RISING = {"steps": "110", "warmup_steps": "10", "learning_rate": "1"}


def configured(**overrides):
    return configure("llava-tiny", {**SMALL["llava-tiny"], **RISING, **overrides})


def test_learning_rate_rises_then_falls_as_half_a_cosine():
    rates = [learning_rate(s, configured()) for s in range(110)]
    assert rates[:10] == pytest.approx([(s + 1) / 10 for s in range(10)])
    assert rates[10] == pytest.approx(1)
    assert rates[60] == pytest.approx(0.5)
    assert rates[35] == pytest.approx(0.5 + 0.5 * math.cos(math.pi / 4))
    assert 0 < rates[109] < 0.001


def test_a_schedule_may_begin_and_end_elsewhere():
    config = configured(first_learning_rate="0.5", least_learning_rate="0.2", schedule="linear")
    assert [learning_rate(s, config) for s in (0, 9, 60)] == pytest.approx([0.55, 1, 0.6])
    assert learning_rate(110, config) == pytest.approx(0.2)
    constant = configured(schedule="constant")
    assert {learning_rate(s, constant) for s in range(10, 110)} == {1.0}


def test_a_cosine_may_end_above_zero():
    config = configured(least_learning_rate="0.2")
    assert [learning_rate(s, config) for s in (10, 60, 110)] == pytest.approx([1, 0.6, 0.2])


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_without_a_warm_up_the_first_step_has_the_highest_rate(schedule):
    assert learning_rate(0, configured(warmup_steps="0", schedule=schedule)) == 1


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_a_run_may_end_within_its_warm_up(schedule):
    config = configured(steps="4", schedule=schedule)
    assert [learning_rate(s, config) for s in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_matrices_decay_and_gains_and_biases_do_not():
    model = Llava(configured(weight_decay="0.3", beta1="0.8", beta2="0.7"))
    groups = optimizer_for(model).param_groups
    assert [(g["weight_decay"], g["betas"], g["lr"]) for g in groups] == [(0.3, (0.8, 0.7), 1), (0, (0.8, 0.7), 1)]
    decaying, others = ({id(p) for p in g["params"]} for g in groups)
    for name, parameter in model.named_parameters():
        gain = name.endswith("bias") or "norm" in name or "class_embedding" in name
        assert (id(parameter) in decaying) != gain
        assert (id(parameter) in others) != (id(parameter) in decaying)


def test_what_is_frozen_is_not_its_business():
    model = Llava(configured(trainable="projector"))
    held = [p for group in optimizer_for(model).param_groups for p in group["params"]]
    assert {id(p) for p in held} == {id(p) for p in model.projector.parameters()}


def test_a_step_is_adamws():
    """One step from zero moments moves a weight by its rate in the direction of the gradient, after the decay."""
    model = Llava(configured(weight_decay="0.3", trainable="projector"))
    weight = model.projector[0].weight
    before, optimizer = weight.detach().clone(), optimizer_for(model)
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    for group in optimizer.param_groups:
        group["lr"] = 0.01
    optimizer.step()
    expected = before * (1 - 0.01 * 0.3) - 0.01 * weight.grad.sign()
    torch.testing.assert_close(weight.detach(), expected, atol=1e-5, rtol=0)
