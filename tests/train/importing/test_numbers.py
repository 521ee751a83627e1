"""The same weights say the same: transformers' models, imported, give the logits that they gave."""

import pytest
import torch

from curate.errors import TrainError
from curate.train.exporting import converted
from curate.train.importing import SOURCES
from curate.train.importing.bringing import import_checkpoint
from curate.train.importing.taking import take
from curate.train.learner import build
from curate.train.presets import configure
from curate.train.vocabulary import learn

from . import tiny

WHICH = ["opt", "t5", "instruct", "llava"]


@pytest.mark.parametrize("which", WHICH)
def test_an_imported_model_says_what_it_said(which, tmp_path):
    theirs = tiny.theirs(which)
    theirs.save_pretrained(tmp_path / "theirs")
    import_checkpoint(
        tiny.KINDS[which], tmp_path / "theirs", tiny.PRESETS[which], tiny.overrides(which), tmp_path / "ours"
    )
    ours = build(configure(tiny.PRESETS[which], tiny.overrides(which) | {"start_from": str(tmp_path / "ours")}))
    if which != "llava":
        theirs.vision_model.post_layernorm.eps = 1e-5  # as in LAVIS, which trained the published weights
    expected = tiny.their_logits(which, theirs)
    assert expected.std() > 0.1
    torch.testing.assert_close(tiny.our_logits(which, ours), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [tiny.ROWS, tiny.ROWS - 20])
@pytest.mark.parametrize("which", WHICH)
def test_an_exported_model_says_what_ours_says(which, size, tmp_path):
    ours = _ours(which)
    words = learn(_texts(size), size, ["<s>", "</s>"])
    theirs, longer = converted(ours, words)
    theirs.save_pretrained(tmp_path)
    loaded = type(theirs).from_pretrained(tmp_path).eval()
    image = longer.id("<image>")
    assert image == len(words) == size == loaded.config.image_token_index
    assert loaded.get_input_embeddings().weight.shape[0] == max(tiny.ROWS, size + 1)
    expected = tiny.our_logits(which, ours)
    tolerance = 1e-5 if which == "llava" else 1e-4  # the norm after the tower: epsilons 1e-6 and 1e-5
    torch.testing.assert_close(tiny.their_logits(which, loaded, image), expected, atol=tolerance, rtol=tolerance)
    if which != "llava":
        loaded.vision_model.post_layernorm.eps = 1e-5
        torch.testing.assert_close(tiny.their_logits(which, loaded, image), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("which", WHICH)
def test_export_and_import_give_every_number_back(which):
    ours = _ours(which)
    theirs, _ = converted(ours, learn(_texts(tiny.ROWS), tiny.ROWS, ["<s>", "</s>"]))
    back = take(SOURCES[tiny.KINDS[which]], theirs.state_dict(), ours, {"image_token_index": tiny.ROWS}).weights
    held = dict(ours.named_parameters())
    assert back.keys() == held.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in held.items())


def test_a_bias_on_eva_keys_is_refused():
    theirs = tiny.theirs("opt")
    theirs.vision_model.encoder.layers[1].self_attn.qkv.bias.data[40] = 1e-3
    with pytest.raises(TrainError, match=r"layers\.1\.self_attn\.qkv\.bias: keys have a bias"):
        take(SOURCES["hf-blip2"], theirs.state_dict(), _ours("opt"), {"image_token_index": tiny.ROWS})


def test_tied_matrices_that_differ_are_refused():
    theirs = tiny.theirs("opt", tiny.ROWS).state_dict()
    theirs["language_model.lm_head.weight"] = theirs["language_model.lm_head.weight"] + 1
    with pytest.raises(TrainError, match="are one matrix in the preset and differ"):
        take(SOURCES["hf-blip2"], theirs, _ours("opt"), {})


def _ours(which):
    model = build(tiny.settings(which)).eval()
    generator = torch.Generator().manual_seed(2)
    for parameter in model.parameters():
        parameter.data.normal_(std=0.2, generator=generator)
    return model


def _texts(size):
    """Return enough words for a vocabulary of exactly that size."""
    return [f"w{a}{b} w{a}{b}" for a in range(10) for b in range(10)][:size]
