"""CLIP vision tower."""
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel
from curate.train.sizes import Vision


def build_clip(sizes: Vision) -> CLIPVisionModel:
    """Build."""
    return CLIPVisionModel(CLIPVisionConfig(
        image_size=sizes.image_size, patch_size=sizes.patch, hidden_size=sizes.width, num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads, intermediate_size=sizes.feedforward))


def patch_states(tower, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Last but one."""
    return tower(pixels_PCSS, output_hidden_states=True).hidden_states[-2][:, 1:]


def pooled_states(tower, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Class token."""
    return tower(pixels_PCSS).pooler_output
