"""CLIP's vision tower (Radford et al. 2021, arXiv 2103.00020), of transformers, and the three things read off it."""

import inspect
from typing import Any

import torch
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from curate.train.sizes import Vision


def build_clip(sizes: Vision, *, final_norm: bool = True) -> CLIPVisionModel:
    """Build a tower with random weights; without `final_norm` it ends after its last block, as BLIP-2's ViT-L does."""
    tower = CLIPVisionModel(
        CLIPVisionConfig(
            image_size=sizes.image_size,
            patch_size=sizes.patch,
            hidden_size=sizes.width,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            intermediate_size=sizes.feedforward,
        )
    )
    if not final_norm:
        _body(tower).post_layernorm = nn.Identity()
    return tower


def patch_states(tower: CLIPVisionModel, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Return [P, N, W]: states of all blocks but the last, without the class token; the last block is not computed."""
    return _states(tower, pixels_PCSS, len(_body(tower).encoder.layers) - 1)[:, 1:]


def all_states(tower: CLIPVisionModel, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Return [P, 1 + N, W]: states of all blocks, class token first, before any final norm."""
    return _states(tower, pixels_PCSS, len(_body(tower).encoder.layers))


def pooled(tower: CLIPVisionModel, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Return [P, W]: the class token after the final norm."""
    return tower(pixels_PCSS).pooler_output


def _states(tower: CLIPVisionModel, pixels_PCSS: torch.Tensor, blocks: int) -> torch.Tensor:
    body = _body(tower)
    states_PMW = body.pre_layrnorm(body.embeddings(pixels_PCSS))
    for block in body.encoder.layers[:blocks]:
        made = block(states_PMW, attention_mask=None, **({"causal_attention_mask": None} if _old(block) else {}))
        states_PMW = made[0] if isinstance(made, tuple) else made
    return states_PMW


def _old(block: nn.Module) -> bool:
    """Whether a block is of transformers 4, which asks for a causal mask.

    Its class is asked, since activation checkpointing puts another forward on the block itself.
    """
    return "causal_attention_mask" in inspect.signature(type(block).forward).parameters


def _body(tower: CLIPVisionModel) -> Any:
    """Return the module that holds the layers: one deeper in transformers 4."""
    return getattr(tower, "vision_model", tower)
