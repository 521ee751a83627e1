"""False partners that are hard to tell from true ones, drawn by how alike they look.

The draw is a function of the seed and of a sample's place in the training order, so that it is the same for any number
of micro-batches and processes. Li et al. 2021 (ALBEF), arXiv 2107.07651, section 3.2.
"""

import hashlib
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Negatives:
    """For each sample of a batch, the number of its false partner among all samples of the step."""

    pictures_B: torch.Tensor
    texts_B: torch.Tensor


def draw_negatives(
    to_text_BG: torch.Tensor, to_picture_BG: torch.Tensor, own_B: torch.Tensor, keys: list[str]
) -> Negatives:
    """Draw by the softmax of similarities, never a sample itself.

    `own_B` says which column is each row's own; `keys` name each row's draws.
    """
    pictures = _draw(to_picture_BG, own_B, [f"{key},picture" for key in keys])
    return Negatives(pictures, _draw(to_text_BG, own_B, [f"{key},text" for key in keys]))


def _draw(scores_BG: torch.Tensor, own_B: torch.Tensor, keys: list[str]) -> torch.Tensor:
    # On the CPU: a GPU has no deterministic sum of floats along a row, and training allows no other.
    masked = scores_BG.double().cpu().scatter(1, own_B[:, None].cpu(), -torch.inf)
    reached = masked.softmax(1).cumsum(1)
    drawn = torch.tensor([uniform(key) for key in keys], dtype=torch.float64)
    picks = torch.searchsorted(reached, drawn[:, None] * reached[:, -1:], right=True)[:, 0]
    last = scores_BG.shape[1] - 1 - (own_B == scores_BG.shape[1] - 1).long()
    return torch.minimum(picks.to(last.device), last)  # rounding can push the last draw past the end


def uniform(key: str) -> float:
    """Return a number of [0, 1) that is a function of `key`."""
    digest = hashlib.blake2b(key.encode(), digest_size=7).digest()
    return int.from_bytes(digest, "little") / (1 << 56)
