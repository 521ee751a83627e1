"""Any vision tower for given sizes, and what architectures read off it, whatever its kind."""

import torch
from torch import nn

from curate.train.config import Training
from curate.train.pictures import CLIP_MEAN, CLIP_STD, Transform
from curate.train.sizes import Vision
from curate.train.towers import clip, efficientnet
from curate.train.towers.clip import build_clip
from curate.train.towers.eva import EvaVit
from curate.train.towers.hollow import made


def build_vision(sizes: Vision, *, final_norm: bool = False) -> nn.Module:
    """Build a tower; only CLIP's has a final norm, which is left out where nothing reads it."""
    if sizes.kind == "efficientnet_lite0":
        return efficientnet.EfficientNetLite0(sizes)
    if sizes.kind == "eva":
        return made("vision", lambda: EvaVit(sizes))
    return made("vision", lambda: build_clip(sizes, final_norm=final_norm))


def all_states(tower: nn.Module, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Return [P, M, W]: all that a tower says of pictures, without any final norm."""
    return tower(pixels_PCSS) if _plain(tower) else clip.all_states(tower, pixels_PCSS)


def patch_states(tower: nn.Module, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Return [P, N, W]: what LLaVA reads, CLIP's last but one states without the class token."""
    return tower(pixels_PCSS) if _plain(tower) else clip.patch_states(tower, pixels_PCSS)


def pooled(tower: nn.Module, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Return [P, W]: one vector for each picture, CLIP's normed class token or the mean of all cells."""
    return tower(pixels_PCSS).mean(1) if _plain(tower) else clip.pooled(tower, pixels_PCSS)


def _plain(tower: nn.Module) -> bool:
    return isinstance(tower, EvaVit | efficientnet.EfficientNetLite0)


def transform_for(sizes: Vision, config: Training) -> Transform:
    """Return how pictures become the pixels that a tower was trained on."""
    own = sizes.kind == "efficientnet_lite0"
    mean, std = (efficientnet.MEAN, efficientnet.STD) if own else (CLIP_MEAN, CLIP_STD)
    return Transform(sizes.image_size, config.pictures, mean, std, config.max_pixels, config.least_crop)
