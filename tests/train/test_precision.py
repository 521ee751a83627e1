"""bfloat16 learns what float32 learns, nearly; activations computed twice are the same, exactly."""

import json

import pytest
import torch

from curate.train import checkpoint, train
from curate.train.architectures.blip2_stage1 import similarity
from curate.train.learner import build, halve
from curate.train.presets import configure
from curate.train.towers.language import build_language

from .tiny import SMALL

STEPS = {"steps": "6", "batch_size": "8", "checkpoint_every": "6", "warmup_steps": "0", "eval_samples": "8"}
LEARNS = {
    "llava-tiny": "projector,language",
    "blip2-stage1-tiny": "norm,qformer,head,vision_proj,text_proj,itm_head,temp",
}


def trained(data, out, preset, **more):
    overrides = {**SMALL[preset], **STEPS, **more}
    train(preset, [data], str(out), overrides=overrides, progress=lambda _: None)
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("preset", LEARNS)
def test_bfloat16_learns_nearly_what_float32_learns(shapes_run, tmp_path, preset):
    settings = {"trainable": LEARNS[preset], "learning_rate": "1e-3"}
    exact = trained(shapes_run, tmp_path / "exact", preset, **settings)
    rough = trained(shapes_run, tmp_path / "rough", preset, **settings, precision="bfloat16")
    assert exact != rough
    assert rough == pytest.approx(exact, rel=0.02)
    learner, _ = checkpoint.restore(checkpoint.saved(tmp_path / "rough")[-1])
    model = learner.model
    assert {p.dtype for p in model.learns().values()} == {torch.float32}
    assert {p.dtype for p in model.parameters() if not p.requires_grad} == {torch.bfloat16}


def test_a_frozen_language_model_keeps_its_frequencies_whole():
    language = build_language(configure("llava-tiny", SMALL["llava-tiny"]).language).requires_grad_(requires_grad=False)
    before = {name: buffer.clone() for name, buffer in language.named_buffers()}
    halve(language)
    assert before
    assert all(torch.equal(buffer, before[name]) for name, buffer in language.named_buffers())
    assert {p.dtype for p in language.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("trainable", ["projector", "projector,language"])
@pytest.mark.parametrize("preset", ["llava-tiny", "blip2-opt-tiny", "blip2-flan-t5-tiny"])
def test_activations_computed_twice_change_no_bit(shapes_run, tmp_path, preset, trainable):
    kept, twice = tmp_path / "kept", tmp_path / "twice"
    losses = [trained(shapes_run, kept, preset, trainable=trainable)]
    losses.append(trained(shapes_run, twice, preset, trainable=trainable, checkpoint_activations="true"))
    assert losses[0] == losses[1]
    weights = [(checkpoint.saved(out)[-1] / "model.safetensors").read_bytes() for out in (kept, twice)]
    assert weights[0] == weights[1]
    sizes = {**SMALL[preset], "trainable": trainable, "checkpoint_activations": "true"}
    blocks = build(configure(preset, sizes)).blocks()
    assert blocks
    assert all("forward" in vars(block) for block in blocks)  # each is wrapped: the losses were not made without


def test_pictures_and_texts_are_compared_in_float32():
    """Half of the digits of a cosine over a temperature of 0.07 are errors of 0.03 in what a softmax reads."""
    queries, text = (torch.nn.functional.normalize(torch.randn(4, *n, 64), dim=-1) for n in ((3,), ()))
    with torch.autocast("cpu", torch.bfloat16):
        rough = similarity(queries, text)
    assert torch.equal(rough, similarity(queries, text))
