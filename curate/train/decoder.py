"""What every decoder-only language model here does: take pictures between its words, lose, and speak."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from curate.train.batch import Text
from curate.train.template import IMAGE, UNLABELLED


@dataclass(frozen=True)
class Decoding:
    """How an answer is searched for."""

    max_new_tokens: int = 40
    beams: int = 1
    """1 is greedy."""
    length_penalty: float = 1.0
    """Exponent of the length that a beam's log-likelihood is divided by."""
    ends: tuple[int, ...] = ()
    """Tokens that end an answer."""


def splice(language: Any, ids_BL: torch.Tensor, features_PND: torch.Tensor) -> torch.Tensor:
    """Return [B, L, D]: embeddings of tokens, with pictures' features where ids say IMAGE, in reading order.

    Raises:
        ValueError: places and features are not equally many.
    """
    places_BL = ids_BL == IMAGE
    embeds_BLD = language.get_input_embeddings()(ids_BL.masked_fill(places_BL, 0))
    found = features_PND.shape[0] * features_PND.shape[1] if len(features_PND) else 0
    if int(places_BL.sum()) != found:
        raise ValueError(f"{int(places_BL.sum())} places for features of shape {tuple(features_PND.shape)}")
    if not found:
        return embeds_BLD
    return embeds_BLD.masked_scatter(places_BL.unsqueeze(-1), features_PND.to(embeds_BLD.dtype))


def states(language: Any, embeds_BLD: torch.Tensor, mask_BL: torch.Tensor) -> torch.Tensor:
    """Return [B, L, D]: the last hidden states. Sequences packed into one row do not see each other."""
    packed = bool((mask_BL > 1).any())
    seen = {"attention_mask": blocks_of(mask_BL), "position_ids": positions_of(mask_BL)} if packed else {}
    given = {"attention_mask": mask_BL, **seen}
    return language.model(inputs_embeds=embeds_BLD, use_cache=False, **given).last_hidden_state


def loss_sum(language: Any, embeds_BLD: torch.Tensor, text: Text) -> torch.Tensor:
    """Return the summed cross-entropy of labelled tokens, -sum log p(y_t | y_<t, picture), in nats."""
    states_BLD = states(language, embeds_BLD, text.mask_BL)
    targets_BL = text.labels_BL[:, 1:]
    labelled = targets_BL != UNLABELLED
    logits_TV = language.lm_head(states_BLD[:, :-1][labelled])  # labelled places only: V is the widest axis
    return functional.cross_entropy(logits_TV.float(), targets_BL[labelled], reduction="sum")


def blocks_of(mask_BL: torch.Tensor) -> torch.Tensor:
    """Return bool[B, 1, L, L]: which place sees which, where the mask numbers the sequences of a row from 1."""
    same = mask_BL.unsqueeze(2) == mask_BL.unsqueeze(1)
    length = mask_BL.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=mask_BL.device).tril()
    return (same & causal).unsqueeze(1)  # padding, number 0, sees itself: a row of nothing would be NaN


def positions_of(mask_BL: torch.Tensor) -> torch.Tensor:
    """Return int64[B, L]: places counted from 0 anew in each sequence of a row."""
    length = mask_BL.shape[1]
    here = torch.arange(length, device=mask_BL.device).expand_as(mask_BL)
    starts = torch.ones_like(mask_BL, dtype=torch.bool)
    starts[:, 1:] = mask_BL[:, 1:] != mask_BL[:, :-1]
    return here - here.masked_fill(~starts, 0).cummax(dim=1).values


def speak(language: Any, rows: Sequence[torch.Tensor], how: Decoding) -> list[list[int]]:
    """Return the tokens that follow each row of embeddings [L, D], up to one that ends them (left out)."""
    ends = list(how.ends)
    length = max(len(row) for row in rows)
    room = min(how.max_new_tokens, language.config.max_position_embeddings - length)
    if room <= 0:
        return [[] for _ in rows]
    embeds_BLD = torch.stack([functional.pad(row, (0, 0, length - len(row), 0)) for row in rows])
    here = torch.arange(length, device=embeds_BLD.device)
    mask_BL = torch.stack([here >= length - len(row) for row in rows]).long()
    said = language.generate(
        inputs_embeds=embeds_BLD,
        attention_mask=mask_BL,
        max_new_tokens=room,
        num_beams=how.beams,
        length_penalty=how.length_penalty,
        do_sample=False,
        bos_token_id=ends[0],
        eos_token_id=ends,
        pad_token_id=ends[0],
    )
    return [until(row, ends) for row in said.tolist()]


def until(ids: Sequence[int], ends: Sequence[int]) -> list[int]:
    """Return the tokens before the first of `ends`."""
    found = next((n for n, token in enumerate(ids) if token in ends), len(ids))
    return list(ids[:found])
