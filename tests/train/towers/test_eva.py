import pytest
import torch
from transformers import Blip2VisionConfig, Blip2VisionModel

from curate.train.sizes import Vision
from curate.train.towers.eva import EvaVit

from .hf_names import eva_weights

SIZES = Vision(kind="eva", image_size=28, patch=14, width=32, layers=3, heads=4, feedforward=48)


@pytest.mark.counts
def test_vit_g_has_the_published_count():
    sizes = Vision(kind="eva", image_size=224, patch=14, width=1408, layers=39, heads=16, feedforward=6144)
    with torch.device("meta"):
        tower = EvaVit(sizes)
    assert sum(p.numel() for p in tower.parameters()) == 985_894_528


def test_states_are_those_of_transformers():
    torch.manual_seed(0)
    ours = EvaVit(SIZES)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(std=0.2)
    theirs = Blip2VisionModel(
        Blip2VisionConfig(
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=3,
            num_attention_heads=4,
            image_size=28,
            patch_size=14,
        )
    ).eval()
    norm = {n: t for n, t in theirs.state_dict().items() if n.startswith("post_layernorm")}
    theirs.load_state_dict(eva_weights(ours) | norm)
    pixels = torch.randn(2, 3, 28, 28)
    states = ours(pixels)
    assert states.shape == (2, 5, 32)
    torch.testing.assert_close(theirs.post_layernorm(states), theirs(pixels).last_hidden_state, atol=1e-5, rtol=1e-5)
