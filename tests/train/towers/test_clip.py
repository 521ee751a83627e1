"""What is read off CLIP's tower against what transformers says of the same weights, in its versions 4 and 5."""

import pytest
import torch

from curate.train.sizes import Vision
from curate.train.towers.clip import all_states, build_clip, patch_states, pooled
from curate.train.towers.language import checkpoint_activations

SIZES = Vision(kind="clip", image_size=32, patch=16, width=64, layers=3, heads=4, feedforward=96)
VIT_L = Vision(kind="clip", image_size=224, patch=14, width=1024, layers=24, heads=16, feedforward=4096)


def count(module):
    return sum(p.numel() for p in module.parameters())


def layers(tower):
    return getattr(tower, "vision_model", tower).encoder.layers


@pytest.fixture
def tower():
    torch.manual_seed(0)
    return build_clip(SIZES).eval()


@pytest.fixture
def pixels():
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.counts
def test_it_has_the_published_counts():
    with torch.device("meta"):
        assert count(build_clip(VIT_L)) == 303_179_776
        assert count(build_clip(VIT_L.model_copy(update={"layers": 23}), final_norm=False)) == 290_581_504


def test_states_are_those_of_transformers(tower, pixels):
    reference = tower(pixels, output_hidden_states=True)
    torch.testing.assert_close(patch_states(tower, pixels), reference.hidden_states[-2][:, 1:])
    torch.testing.assert_close(all_states(tower, pixels), reference.hidden_states[-1])
    torch.testing.assert_close(pooled(tower, pixels), reference.pooler_output)


def test_llava_never_computes_the_last_block_but_keeps_its_weights(tower, pixels):
    computed = []
    for number, layer in enumerate(layers(tower)):
        layer.register_forward_hook(lambda *_, number=number: computed.append(number))
    patch_states(tower, pixels)
    assert computed == [0, 1]
    assert any(".2." in name for name in tower.state_dict())


def test_checkpointed_blocks_have_the_same_states_and_gradients(tower, pixels):
    def learned():
        tower.zero_grad()
        states = patch_states(tower, pixels)
        states.square().sum().backward()
        return states.detach(), [p.grad.clone() for p in tower.parameters() if p.grad is not None]

    states, gradients = learned()
    checkpoint_activations(layers(tower))
    again, same = learned()
    assert torch.equal(states, again)
    assert all(torch.equal(one, other) for one, other in zip(gradients, same, strict=True))
