"""FROMAGe speaking: words, and wherever it says [RET] a vector to search a gallery of pictures by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from curate.train.architectures.fromage import Fromage


@dataclass(frozen=True)
class Said:
    """What follows one prompt."""

    ids: list[int]
    """Tokens, each [RET] among them, up to an end (left out)."""
    vectors_RE: torch.Tensor
    """float32, of length 1: one for each [RET] of `ids`, in order."""


class _Turn:
    """What one prompt has been answered so far."""

    def __init__(self, ends: Sequence[int]) -> None:
        self.ends, self.ids, self.over = ends, list[int](), False
        self.vectors = list[torch.Tensor]()

    def say(self, token: int) -> None:
        self.over = self.over or token in self.ends
        if not self.over:
            self.ids.append(token)


def respond(
    model: "Fromage", prompts: Sequence[torch.Tensor], ends: Sequence[int], at_most: int, ret_scale: float
) -> list[Said]:
    """Go on with embedded prompts [L, D], greedily, each up to one of `ends` or `at_most` tokens or the full context.

    A vector is read where [RET] stands, so the pass after it is made even where nothing more is said.
    """
    turns = [_Turn(ends) for _ in prompts]
    embeds_BLD, mask_BL = _flush_right(prompts)
    room = min(at_most, model.config.language.context - mask_BL.shape[1])
    cache = None
    for place in range(room + 1):
        out = model.language.model(
            inputs_embeds=embeds_BLD, attention_mask=mask_BL, past_key_values=cache, use_cache=True
        )
        states_BD, cache = out.last_hidden_state[:, -1], out.past_key_values
        _look_up(model, turns, states_BD, place)
        if place == room or all(turn.over for turn in turns):
            break
        said_B = _likeliest(model, states_BD, ret_scale)
        for turn, token in zip(turns, said_B.tolist(), strict=True):
            turn.say(token)
        embeds_BLD = model.embed(said_B.unsqueeze(1), states_BD.new_zeros(0, model.config.vision.width))
        mask_BL = torch.cat([mask_BL, torch.ones_like(mask_BL[:, :1])], dim=1)
    nothing = torch.zeros(0, model.config.shared_width, device=embeds_BLD.device)
    return [Said(turn.ids, torch.stack(turn.vectors) if turn.vectors else nothing) for turn in turns]


def _look_up(model: "Fromage", turns: Sequence[_Turn], states_BD: torch.Tensor, place: int) -> None:
    """Keep the vectors of those that have just said [RET]."""
    for turn, state_D in zip(turns, states_BD, strict=True):
        if len(turn.ids) == place and turn.ids[-1:] == [model.config.ret]:
            turn.vectors.append(model.retrieving(state_D))


def _likeliest(model: "Fromage", states_BD: torch.Tensor, ret_scale: float) -> torch.Tensor:
    logits_BV = model.logits(states_BD).float()
    logits_BV[:, model.config.ret] *= ret_scale
    return logits_BV.argmax(dim=-1)


def _flush_right(rows: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return [B, L, D] and [B, L]: prompts of different lengths that end together, and where they are."""
    length = max(len(row) for row in rows)
    embeds_BLD = torch.stack([functional.pad(row, (0, 0, length - len(row), 0)) for row in rows])
    here = torch.arange(length, device=embeds_BLD.device)
    return embeds_BLD, torch.stack([here >= length - len(row) for row in rows]).long()
