"""Every kind of tower, and what is read off it."""

import pytest
import torch

from curate.train.presets import configure
from curate.train.sizes import Vision
from curate.train.towers.clip import build_clip
from curate.train.towers.vision import all_states, build_vision, patch_states, pooled, transform_for

CLIP = Vision(kind="clip", image_size=32, patch=16, width=64, layers=3, heads=4, feedforward=96)
EVA = Vision(kind="eva", image_size=28, patch=14, width=32, layers=1, heads=4, feedforward=48)
LITE = Vision(kind="efficientnet_lite0", image_size=64, patch=32, width=1280, layers=1, heads=1, feedforward=1)


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_clip_is_read_in_three_ways():
    torch.manual_seed(0)
    tower, pixels = build_vision(CLIP, final_norm=True).eval(), torch.randn(2, 3, 32, 32)
    reference = tower(pixels, output_hidden_states=True)
    torch.testing.assert_close(patch_states(tower, pixels), reference.hidden_states[-2][:, 1:])
    torch.testing.assert_close(all_states(tower, pixels), reference.hidden_states[-1])
    torch.testing.assert_close(pooled(tower, pixels), reference.pooler_output)


def test_a_tower_without_final_norm_has_the_same_states():
    torch.manual_seed(0)
    whole = build_clip(CLIP).eval()
    torch.manual_seed(0)
    bare, pixels = build_vision(CLIP).eval(), torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(all_states(bare, pixels), all_states(whole, pixels))
    assert count(whole) - count(bare) == 2 * 64


@pytest.mark.parametrize(("sizes", "places"), [(EVA, 5), (LITE, 4)])
def test_the_other_towers_return_all_they_have(sizes, places):
    tower, pixels = build_vision(sizes).eval(), torch.randn(2, 3, sizes.image_size, sizes.image_size)
    assert all_states(tower, pixels).shape == (2, places, sizes.width)
    torch.testing.assert_close(pooled(tower, pixels), all_states(tower, pixels).mean(1))


def test_each_tower_gets_the_pixels_it_was_trained_on():
    config = configure("llava-tiny", {})
    assert transform_for(CLIP, config).mean != transform_for(LITE, config).mean
    assert transform_for(LITE, config).side == 64
