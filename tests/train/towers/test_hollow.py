"""A part that was built without weights and then loaded is the part that was saved."""

import pytest
import torch

from curate.train.batch import Text
from curate.train.decoder import states
from curate.train.encoder_decoder import loss_sum
from curate.train.sizes import Language, Vision
from curate.train.template import Tokens
from curate.train.towers.hollow import hollow
from curate.train.towers.language import build_language
from curate.train.towers.vision import all_states, build_vision
from curate.train.weights import _load, weights_at

TINY = {"vocabulary": 300, "width": 32, "layers": 2, "heads": 4, "feedforward": 64, "context": 32}
CLIP = Vision(kind="clip", image_size=32, patch=16, width=32, layers=2, heads=4, feedforward=64)
DTYPES = (torch.float32, torch.bfloat16)


def again(saved, build, name, kind, folder, dtype):
    saved.save_pretrained(folder)
    with hollow({name: dtype}):
        made = build()
    _load(made, weights_at(str(folder), kind, made), str(folder))
    assert {p.dtype for p in made.parameters()} == {dtype}
    assert [n for n, _ in made.named_parameters()] == [n for n, _ in saved.named_parameters()]  # what is tied is one
    return made.eval()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["llama", "opt"])
def test_a_decoder_says_the_same(tmp_path, kind, dtype):
    torch.manual_seed(0)
    sizes, embeds = Language(kind=kind, **TINY), torch.randn(2, 9, 32)
    saved = build_language(sizes).eval()
    loaded = again(saved, lambda: build_language(sizes), "language", kind, tmp_path, dtype)
    mask = torch.ones(2, 9, dtype=torch.long)
    with torch.inference_mode():
        expected = saved.to(dtype).model(inputs_embeds=embeds.to(dtype), use_cache=False).last_hidden_state
        found = states(loaded, embeds.to(dtype), mask)
    # Llama's frequencies stay float32 in the loaded one, as transformers loads them.
    torch.testing.assert_close(found, expected, atol=0.05 if dtype == torch.bfloat16 else 1e-6, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_encoder_decoder_says_the_same_and_keeps_its_output_matrix(tmp_path, dtype):
    torch.manual_seed(0)
    sizes, embeds = Language(kind="t5", **TINY), torch.randn(2, 9, 32)
    saved = build_language(sizes).eval()
    loaded = again(saved, lambda: build_language(sizes), "language", "t5", tmp_path, dtype)
    assert loaded.lm_head.weight is not loaded.shared.weight
    row = Tokens([5, 6, 7], [5, 6, 7])
    text, answer = Text.padded([Tokens([1] * 9, [-100] * 9)] * 2), Text.padded([row, row])
    with torch.inference_mode():
        expected = loss_sum(saved.to(dtype), embeds.to(dtype), text, answer)
        found = loss_sum(loaded, embeds.to(dtype), text, answer)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_tower_sees_the_same(tmp_path):
    torch.manual_seed(0)
    saved, pixels = build_vision(CLIP, final_norm=True).eval(), torch.randn(2, 3, 32, 32)
    loaded = again(saved, lambda: build_vision(CLIP, final_norm=True), "vision", "clip", tmp_path, torch.float32)
    with torch.inference_mode():
        torch.testing.assert_close(all_states(loaded, pixels), all_states(saved, pixels), atol=0, rtol=0)


def test_nothing_is_hollow_that_was_not_named():
    with hollow({"vision": torch.float32}):
        assert bool(next(build_language(Language(kind="llama", **TINY)).parameters()).abs().sum())
