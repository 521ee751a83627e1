"""Adapters learn beside a frozen language model, at a rate of their own, and a checkpoint holds nothing else."""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration

from curate.errors import TrainError
from curate.train import adapters, checkpoint, generate, train
from curate.train.architectures.llava import Llava
from curate.train.exporting import export
from curate.train.learner import build
from curate.train.optimizer import FACTOR, optimizer_for
from curate.train.presets import configure
from curate.train.weights import fingerprint

from .processes import together
from .shapes import TINY, draw

LORA = {
    **TINY, "batch_size": "4", "trainable": "projector,language",
    "lora.rank": "3", "lora.alpha": "6", "lora.learning_rate": "1e-2",
}  # fmt: skip
TRAINED = {**LORA, "steps": "4", "checkpoint_every": "2", "warmup_steps": "0"}
MATRICES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def trained(data, out, progress=lambda _: None, **overrides):
    return train("llava-tiny", data, str(out), overrides={**TRAINED, **overrides}, progress=progress)


@pytest.fixture(scope="module")
def learned(shapes_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("learned")
    trained(shapes_run, out)
    return out


def test_every_matrix_of_every_block_has_one_and_no_other():
    model = build(configure("llava-tiny", LORA))
    beside = {name.split(".lora_")[0] for name in model.learns() if adapters.is_adapter(name)}
    assert {name.rsplit(".", 1)[1] for name in beside} == set(MATRICES)
    assert len(beside) == len(MATRICES) * 2
    rest = {name for name in model.learns() if not adapters.is_adapter(name)}
    assert rest == {f"projector.{n}.{kind}" for n in (0, 2) for kind in ("weight", "bias")}


def test_only_adapters_and_projector_change(learned, shapes_run):
    begun = build(configure("llava-tiny", TRAINED)).state_dict()
    learner, _ = checkpoint.restore(checkpoint.saved(learned)[-1])
    now = learner.model.state_dict()
    changed = {name for name, tensor in begun.items() if not torch.equal(tensor, now[name])}
    assert changed == set(learner.model.learns())
    assert load_file(checkpoint.saved(learned)[-1] / "model.safetensors").keys() == changed


def test_what_is_frozen_is_hashed_without_its_adapters(learned):
    frozen = json.loads((checkpoint.saved(learned)[-1] / "state.json").read_text())["frozen"]
    plain = build(configure("llava-tiny", {**TRAINED, "lora.rank": "0"}))
    assert frozen == {name: fingerprint(getattr(plain, name)) for name in ("vision", "language")}


def test_they_answer_as_a_low_rank_update_written_by_hand():
    torch.manual_seed(0)
    model = Llava(configure("llava-tiny", LORA)).eval()
    plain = Llava(configure("llava-tiny", {**LORA, "lora.rank": "0"})).eval()
    state = model.language.state_dict()
    with torch.no_grad():
        for name, tensor in state.items():
            if ".lora_B." in name:
                tensor.normal_()
    summed = adapters.without(state)
    for name in [n for n in state if ".lora_B." in n]:
        layer = name.split(".lora_B.")[0]
        update = 6 / 3 * state[name] @ state[f"{layer}.lora_A.default.weight"]
        summed[f"{layer}.weight"] = summed[f"{layer}.weight"] + update
    plain.language.load_state_dict(summed)
    embeds = torch.randn(2, 9, 64)
    with torch.no_grad():
        ours, theirs = (m.language(inputs_embeds=embeds).logits for m in (model, plain))
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    adapters.merge(model)
    for name, tensor in adapters.without(model.language.state_dict()).items():
        torch.testing.assert_close(tensor, summed[name])


def test_untrained_adapters_change_nothing():
    model = build(configure("llava-tiny", LORA)).eval()
    plain = build(configure("llava-tiny", {**LORA, "lora.rank": "0"})).eval()
    embeds = torch.randn(1, 5, 64)
    with torch.no_grad():
        assert torch.equal(model.language(inputs_embeds=embeds).logits, plain.language(inputs_embeds=embeds).logits)


def test_they_have_a_rate_of_their_own_that_follows_the_schedule(shapes_run, tmp_path):
    config = configure("llava-tiny", {**LORA, "learning_rate": "1e-3"})
    factors = [group[FACTOR] for group in optimizer_for(build(config)).param_groups]
    assert factors == [1.0, 1.0, pytest.approx(10)]
    moved = {}
    for rate in ("1e-3", "1e-5"):
        trained(shapes_run, tmp_path / rate, steps="1", learning_rate="1e-4", **{"lora.learning_rate": rate})
        moved[rate] = load_file(checkpoint.saved(tmp_path / rate)[-1] / "model.safetensors")
    name = next(n for n in moved["1e-3"] if ".lora_B." in n)  # begins at zero: AdamW's first step is the rate
    fast, slow = (moved[rate][name].abs().max() for rate in ("1e-3", "1e-5"))
    assert (float(fast), float(slow)) == (pytest.approx(1e-3, rel=0.01), pytest.approx(1e-5, rel=0.01))
    assert torch.equal(moved["1e-3"]["projector.0.weight"], moved["1e-5"]["projector.0.weight"])


class StopError(Exception):
    pass


def test_training_goes_on_from_a_checkpoint_with_the_same_bits(learned, shapes_run, tmp_path):
    def stop(event):
        if event["event"] == "checkpoint":
            raise StopError

    with pytest.raises(StopError):
        trained(shapes_run, tmp_path, stop)
    trained(shapes_run, tmp_path)
    one, two = (load_file(checkpoint.saved(out)[-1] / "model.safetensors") for out in (learned, tmp_path))
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
    assert (learned / "metrics.jsonl").read_bytes() == (tmp_path / "metrics.jsonl").read_bytes()


def test_a_model_with_adapters_answers(learned):
    said = generate(str(learned), draw("red", "circle", "left"), "What is in this picture?")
    assert isinstance(said, str)


def test_weights_from_elsewhere_go_beneath_adapters(tmp_path):
    torch.manual_seed(5)
    plain = Llava(configure("llava-tiny", {**TINY, "vision.width": "64"}))
    plain.language.save_pretrained(tmp_path)
    model = build(configure("llava-tiny", {**LORA, "language_from": str(tmp_path)}))
    ours, theirs = adapters.without(model.language.state_dict()), plain.language.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def test_an_export_holds_their_sum(learned, tmp_path):
    export(learned, tmp_path / "hf")
    theirs = LlavaForConditionalGeneration.from_pretrained(tmp_path / "hf")
    learner, _ = checkpoint.restore(checkpoint.saved(learned)[-1])
    embeds = torch.randn(1, 7, 64)
    with torch.no_grad():
        ours = learner.model.eval().language(inputs_embeds=embeds).logits
        merged = theirs.lm_head(theirs.model.language_model(inputs_embeds=embeds).last_hidden_state)
    torch.testing.assert_close(merged[..., : ours.shape[-1]], ours, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_divided_blocks_learn_the_same(shapes_run, tmp_path):
    """Two processes that divide each block's matrices, frozen and learned, between them."""
    settings = {**TRAINED, "lora.dropout": "0"}
    spelled = [f"{name}={value}" for name, value in settings.items()]
    trained(shapes_run, tmp_path / "one", **{"lora.dropout": "0"})
    together(2, shapes_run, tmp_path / "two", *spelled, "divided=yes")
    one, two = (load_file(checkpoint.saved(tmp_path / out)[-1] / "model.safetensors") for out in ("one", "two"))
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        assert float((tensor - two[name]).norm()) < 1e-3 * max(1e-2, float(tensor.norm())), name


def test_a_model_that_learned_whole_goes_beneath_adapters(shapes_run, tmp_path):
    trained(shapes_run, tmp_path, **{"lora.rank": "0"})
    start = {**TRAINED, "start_from": str(tmp_path)}
    plain, beneath = (build(configure("llava-tiny", {**start, "lora.rank": rank})) for rank in ("0", "3"))
    held = adapters.without(beneath.state_dict())
    assert all(torch.equal(tensor, held[name]) for name, tensor in plain.state_dict().items())


def test_what_adapters_learned_is_where_more_of_them_start(learned):
    went_on = build(configure("llava-tiny", {**LORA, "seed": "3", "start_from": str(learned)}))
    theirs = load_file(checkpoint.saved(learned)[-1] / "model.safetensors")
    assert all(torch.equal(parameter, theirs[name]) for name, parameter in went_on.learns().items())


def test_adapters_on_what_does_not_learn_are_refused():
    with pytest.raises(TrainError, match=r"lora.rank: adapters learn where trainable names language"):
        configure("llava-tiny", {**LORA, "trainable": "projector"})


def test_the_frozen_base_is_stored_in_half_and_adapters_are_not():
    model = build(configure("llava-tiny", {**LORA, "precision": "bfloat16"}))
    for name, parameter in model.named_parameters():
        assert parameter.dtype == (torch.float32 if parameter.requires_grad else torch.bfloat16), name
