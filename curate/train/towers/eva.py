"""The ViT-g of EVA-CLIP as BLIP-2 uses it (Fang et al. 2022, arXiv 2211.07636; Li et al. 2023, arXiv 2301.12597).

Pre-norm blocks, learned absolute positions, no bias on keys, no norm at the end. BLIP-2 leaves out the fortieth
block: its features are those of the last but one.
"""

import torch
from torch import nn
from torch.nn import functional

from curate.train.sizes import Vision

_EPSILON = 1e-6
_DEVIATION = 0.02
_COLOURS = 3


class EvaVit(nn.Module):
    """A vision transformer that returns the states of its last block."""

    def __init__(self, sizes: Vision) -> None:
        """Build with random weights."""
        super().__init__()
        self.patches = nn.Conv2d(_COLOURS, sizes.width, sizes.patch, sizes.patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + sizes.patches, sizes.width))
        self.blocks = nn.ModuleList(_Block(sizes) for _ in range(sizes.layers))
        self.apply(_initialise)
        for table in (self.class_token, self.positions):
            nn.init.trunc_normal_(table, std=_DEVIATION)

    def forward(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, 1 + N, W], the class token first."""
        patches_PNW = self.patches(pixels_PCSS).flatten(2).transpose(1, 2)
        states_PMW = torch.cat([self.class_token.expand(len(patches_PNW), -1, -1), patches_PNW], 1) + self.positions
        for block in self.blocks:
            states_PMW = block(states_PMW)
        return states_PMW


class _Block(nn.Module):
    def __init__(self, sizes: Vision) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.attention = _Attention(sizes)
        self.norm2 = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.up = nn.Linear(sizes.width, sizes.feedforward)
        self.down = nn.Linear(sizes.feedforward, sizes.width)

    def forward(self, states_PMW: torch.Tensor) -> torch.Tensor:
        states_PMW = states_PMW + self.attention(self.norm1(states_PMW))
        return states_PMW + self.down(functional.gelu(self.up(self.norm2(states_PMW))))


class _Attention(nn.Module):
    def __init__(self, sizes: Vision) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.qkv = nn.Linear(sizes.width, 3 * sizes.width, bias=False)
        self.query_bias = nn.Parameter(torch.zeros(sizes.width))
        self.value_bias = nn.Parameter(torch.zeros(sizes.width))
        self.out = nn.Linear(sizes.width, sizes.width)

    def forward(self, states_PMW: torch.Tensor) -> torch.Tensor:
        bias = torch.cat([self.query_bias, torch.zeros_like(self.query_bias), self.value_bias])
        qkv = functional.linear(states_PMW, self.qkv.weight, bias)
        query, key, value = qkv.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).flatten(2))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=_DEVIATION)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
