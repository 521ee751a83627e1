import json
import math

import pytest
import torch
from safetensors.torch import save_file
from transformers import CLIPVisionModel, LlamaForCausalLM

from curate.errors import RunError, StorageError, TrainError
from curate.train import checkpoint, train
from curate.train.architectures.llava import Llava
from curate.train.learner import build
from curate.train.presets import configure
from curate.train.towers.vision import all_states, build_vision
from curate.train.vocabulary import BEGIN, END, learn
from curate.train.weights import weights_at

from .shapes import TINY, draw, sample, shapes

SHORT = {**TINY, "steps": "4", "batch_size": "8", "checkpoint_every": "100", "warmup_steps": "0"}


def trained(data, out, preset="llava-tiny", **overrides):
    return train(preset, data, str(out), overrides={**SHORT, **overrides}, progress=lambda _: None)


def metrics(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_a_bad_sample_costs_one_sample_and_is_named(make_run, tmp_path):
    broken = [
        sample("torn", draw("red", "circle", "left")[:60], "<image>\nWhat?", "A torn one."),
        sample("none", None, "<image>\nWhat?", "No picture."),
        sample("unasked", draw("red", "circle", "left"), "What?", "Unasked."),
        ("f" * 32, [("json", b"{}"), ("png", b"x")]),
    ]
    final = trained(make_run([*shapes()[:4], *broken]), tmp_path / "out", max_failed_fraction="0.5")
    found = {reason for line in metrics(tmp_path / "out") for _, reason in line["failed"]}
    assert found == {"picture_unreadable", "pictures_and_placeholders_differ", "conversation_incomplete"}
    assert final["failed"] == 16
    assert all(math.isfinite(line["loss"]) and line["tokens"] > 0 for line in metrics(tmp_path / "out"))


def test_past_the_budget_training_stops_with_the_reasons(make_run, tmp_path):
    bad = sample("torn", b"no picture", "<image>\nWhat?", "My secret is 4711.")
    with pytest.raises(TrainError, match=r"picture_unreadable \(1\), such as " + bad[0]) as error:
        trained(make_run([*shapes()[:7], bad]), tmp_path / "out")
    assert "4711" not in str(error.value)


def test_a_step_without_any_usable_sample_learns_nothing(make_run, tmp_path):
    bad = [sample(f"torn{n}", b"", "<image>\nWhat?", "Torn.") for n in range(3)]
    data = make_run([*shapes()[:3], *bad])
    trained(data, tmp_path / "out", batch_size="1", steps="6", max_failed_fraction="1")
    lines = metrics(tmp_path / "out")
    assert sorted(line["tokens"] == 0 for line in lines) == [False] * 3 + [True] * 3
    assert all((line["loss"] is None) == (line["tokens"] == 0) for line in lines)


def test_too_long_a_sample_is_not_cut(make_run, tmp_path):
    long = sample("long", draw("red", "circle", "left"), "<image>\nWhat?", "on and on " * 200)
    with pytest.raises(TrainError, match="longer_than_context"):
        trained(make_run([*shapes()[:7], long]), tmp_path / "out")


def test_text_alone_is_trained_on_too(make_run, tmp_path):
    talk = [sample(f"t{n}", None, f"Say {n}.", f"It is {n}.") for n in range(8)]
    assert trained(make_run(talk), tmp_path / "out")["eval_loss"] > 0


def test_no_samples_is_an_error(make_run, tmp_path):
    with pytest.raises(TrainError, match="holds 4 samples, of which held_out takes 4"):
        trained(make_run(shapes()[:4]), tmp_path / "out", held_out="4")


def test_no_run_is_an_error(tmp_path):
    with pytest.raises(RunError, match=r"manifest\.json"):
        trained(str(tmp_path / "nowhere"), tmp_path / "out")


def test_output_must_be_a_local_folder(shapes_run):
    with pytest.raises(TrainError, match="give a local path"):
        trained(shapes_run, "s3://bucket/model")


def test_a_diverging_run_says_what_to_do(shapes_run, tmp_path):
    with pytest.raises(TrainError, match=r"gradient is not finite.*Lower learning_rate"):
        trained(shapes_run, tmp_path / "out", learning_rate="1e30", steps="20")


def test_an_output_that_cannot_be_written_is_one_clear_error(shapes_run, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="Make room or mend access"):
        trained(shapes_run, tmp_path / "file")


def test_torch_is_left_as_it_was(shapes_run, tmp_path):
    before = torch.get_num_threads()
    trained(shapes_run, tmp_path / "out", threads="3")
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()


def test_threads_are_part_of_the_settings(shapes_run, tmp_path):
    trained(shapes_run, tmp_path / "out")
    with pytest.raises(TrainError, match="threads was 1, now 2"):
        trained(shapes_run, tmp_path / "out", threads="2")


def test_no_more_samples_are_evaluated_at_once_than_learned_from(shapes_run, tmp_path, monkeypatch):
    """A step's whole batch does not fit where it was learned from in parts."""
    sizes = []
    forward = Llava.forward

    def counting(model, batch):
        sizes.append(len(batch))
        return forward(model, batch)

    monkeypatch.setattr(Llava, "forward", counting)
    few = {"steps": "1", "eval_samples": "8", "held_out": "4"}
    parts = trained(shapes_run, tmp_path / "parts", micro_batch="2", **few)
    assert max(sizes) == 2
    whole = trained(shapes_run, tmp_path / "whole", **few)
    assert max(sizes) == 8
    for name in ("eval_loss", "eval_loss_blank", "held_out_loss"):
        assert parts[name] == pytest.approx(whole[name], rel=1e-4)


@pytest.fixture
def towers(shapes_run, tmp_path):
    """A CLIP tower and a Llama with its tokenizer, saved as published weights are."""
    torch.manual_seed(7)
    words = learn(["What is in this picture?", " A red circle on the left."], 400, (BEGIN, END))
    config = configure("llava-tiny", {**TINY, "language.vocabulary": str(len(words))})
    model = Llava(config)
    model.vision.save_pretrained(tmp_path / "clip")
    model.language.save_pretrained(tmp_path / "llama")
    words.tokenizer.save(str(tmp_path / "llama" / "tokenizer.json"))
    return {
        "language.vocabulary": str(len(words)),
        "precision": "float32",
        "language.epsilon": "1e-6",
        "vision.image_size": "64",
        "vision.patch": "16",
        "language.context": "512",
        "vision_from": str(tmp_path / "clip"),
        "language_from": str(tmp_path / "llama"),
    }


def test_frozen_towers_stay_what_they_were_and_the_projector_learns(shapes_run, tmp_path, towers):
    overrides = {**towers, "trainable": "projector", "learning_rate": "1e-2"}
    trained(shapes_run, tmp_path / "out", "llava-1.5-7b", **overrides)
    learner, _ = checkpoint.restore(checkpoint.saved(tmp_path / "out")[-1])
    for part, kind, folder in (("vision", CLIPVisionModel, "clip"), ("language", LlamaForCausalLM, "llama")):
        published = kind.from_pretrained(tmp_path / folder).state_dict()
        ours = getattr(learner.model, part).state_dict()
        assert all(torch.equal(published[name], ours[name]) for name in published)
    fresh = build(configure("llava-1.5-7b", {**SHORT, **overrides}))
    assert not torch.equal(fresh.projector[0].weight, learner.model.projector[0].weight)


def test_full_preset_asks_for_its_towers(shapes_run, tmp_path):
    with pytest.raises(TrainError, match="vision_from=DIR"):
        trained(shapes_run, tmp_path / "out", "llava-1.5-7b")


def test_a_part_that_start_from_holds_some_of_is_asked_for(tmp_path, towers):
    """Adapters alone are no language model: the rest of it stayed at random."""
    lora = {"lora.rank": "2", "lora.dropout": "0"}
    settings = {**TINY, **towers, **lora}
    once = build(configure("llava-1.5-7b-lora", settings))
    torch.nn.init.ones_(once.projector[0].bias)
    (tmp_path / "learned").mkdir()
    save_file({n: p.detach().clone() for n, p in once.learns().items()}, tmp_path / "learned" / "model.safetensors")
    start = {**settings, "start_from": str(tmp_path / "learned")}
    with pytest.raises(TrainError, match=r"--set language_from=DIR, of which start_from holds nothing or only some"):
        build(configure("llava-1.5-7b-lora", {**start, "language_from": ""}))
    again = build(configure("llava-1.5-7b-lora", {**start, "seed": "3"})).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in once.state_dict().items())


def test_what_was_learned_goes_over_what_a_part_began_with(tmp_path, towers):
    with torch.no_grad():
        learned = build(configure("llava-1.5-7b", {**TINY, **towers})).learns()
        (tmp_path / "learned").mkdir()
        save_file({n: p + 1 for n, p in learned.items()}, tmp_path / "learned" / "model.safetensors")
    went_on = build(configure("llava-1.5-7b", {**TINY, **towers, "start_from": str(tmp_path / "learned")}))
    assert all(torch.equal(parameter, learned[name] + 1) for name, parameter in went_on.learns().items())


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ({"vision.layers": "3"}, "its sizes are not the preset's"),
        ({"language.vocabulary": "261"}, "but language.vocabulary is 261"),
        ({"vision_from": "/nowhere"}, "no weights"),
    ],
)
def test_towers_that_do_not_fit_are_refused(shapes_run, tmp_path, towers, harm, said):
    with pytest.raises(TrainError, match=said):
        trained(shapes_run, tmp_path / "out", "llava-1.5-7b", **{**towers, **harm})


def test_weights_of_other_norms_are_refused(shapes_run, tmp_path, towers):
    """No tensor shows it: Llama 2's norms add 1e-5 to the variance, the first Llama's 1e-6."""
    with pytest.raises(TrainError, match=r"rms_norm_eps 1e-06, the preset has 1e-05\. Set language\.epsilon"):
        trained(shapes_run, tmp_path / "out", "llava-1.5-7b", **{**towers, "language.epsilon": "1e-5"})


def test_a_whole_clip_fills_a_tower_without_its_last_block(tmp_path):
    sizes = configure("blip2-vitl-opt-2.7b", {}).vision.model_copy(
        update={"image_size": 28, "width": 32, "heads": 2, "feedforward": 48, "layers": 2}
    )
    torch.manual_seed(5)
    whole = build_vision(sizes.model_copy(update={"layers": 3}), final_norm=True).eval()
    whole.save_pretrained(tmp_path)
    part, pixels = build_vision(sizes).eval(), torch.randn(2, 3, 28, 28)
    part.load_state_dict(weights_at(str(tmp_path), "clip", part))
    with torch.inference_mode():
        reference = whole(pixels, output_hidden_states=True).hidden_states[-2]
        torch.testing.assert_close(all_states(part, pixels), reference)
