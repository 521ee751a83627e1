"""LLaVA: a CLIP tower, a projector, a Llama decoder (Liu et al. 2023, arXiv 2304.08485 and 2310.03744).

Shape suffixes: see data.py. Where we differ: a picture's places are already in `ids` (IMAGE), so sequences do not grow
inside the model, none is cut after splicing, and text-only batches skip the tower.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM

from curate.train.data import Batch
from curate.train.presets import Config, Language, Vision
from curate.train.tokens import IMAGE, UNLABELLED

FEATURE_LAYER = -2
"""The last but one of CLIP's hidden states; its class token is dropped."""


class Llava(nn.Module):
    """Answers about pictures: p(answer | picture, question), token by token."""

    def __init__(self, config: Config) -> None:
        """Build with random weights, or without any inside `torch.device("meta")`."""
        super().__init__()
        self.vision = CLIPVisionModel(_vision_config(config.vision))
        self.projector = _projector(config.projector, config.vision.width, config.language.width)
        self.language = LlamaForCausalLM(_language_config(config.language))
        for part in ("vision", "projector", "language"):
            getattr(self, part).requires_grad_(part in config.trainable)

    def features(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, N, D]: patches in the decoder's space."""
        states = self.vision(pixels_PCSS, output_hidden_states=True).hidden_states
        return self.projector(states[FEATURE_LAYER][:, 1:])

    def embed(self, ids_BL: torch.Tensor, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [B, L, D]: token embeddings, with features where ids say IMAGE, in reading order.

        Raises:
            ValueError: places and features are not equally many.
        """
        places_BL = ids_BL == IMAGE
        embeds_BLD = self.language.get_input_embeddings()(ids_BL.masked_fill(places_BL, 0))
        if not len(pixels_PCSS):
            return embeds_BLD
        features_PND = self.features(pixels_PCSS)
        if int(places_BL.sum()) != features_PND.shape[0] * features_PND.shape[1]:
            raise ValueError(f"{int(places_BL.sum())} places for features of shape {tuple(features_PND.shape)}")
        return embeds_BLD.masked_scatter(places_BL.unsqueeze(-1), features_PND)

    def loss_sum(self, batch: Batch) -> torch.Tensor:
        """Return the summed cross-entropy of labelled tokens, -sum log p(y_t | y_<t, picture, question), in nats.

        A sum, so that a mean over tokens stays one however tokens are spread over batches.
        """
        embeds_BLD = self.embed(batch.ids_BL, batch.pixels_PCSS)
        states_BLD = self.language.model(inputs_embeds=embeds_BLD, attention_mask=batch.mask_BL).last_hidden_state
        targets_BL = batch.labels_BL[:, 1:]
        labelled = targets_BL != UNLABELLED
        logits_TV = self.language.lm_head(states_BLD[:, :-1][labelled])  # labelled places only: V is the widest axis
        return functional.cross_entropy(logits_TV.float(), targets_BL[labelled], reduction="sum")

    def greedy(self, ids_1L: torch.Tensor, pixels_PCSS: torch.Tensor, end: int, at_most: int) -> list[int]:
        """Return the likeliest next tokens, one after the other, up to `end` (left out) or `at_most`."""
        said: list[int] = []
        step: dict[str, Any] = {"inputs_embeds": self.embed(ids_1L, pixels_PCSS)}
        with torch.inference_mode():
            while len(said) < at_most:
                result = self.language(**step, use_cache=True)
                token = int(result.logits[0, -1].argmax())
                if token == end:
                    break
                said.append(token)
                step = {"input_ids": torch.tensor([[token]]), "past_key_values": result.past_key_values}
        return said


def _projector(kind: str, width: int, out: int) -> nn.Module:
    if kind == "linear":
        return nn.Linear(width, out)
    return nn.Sequential(nn.Linear(width, out), nn.GELU(), nn.Linear(out, out))


def _vision_config(sizes: Vision) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        image_size=sizes.image_size,
        patch_size=sizes.patch,
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.feedforward,
    )


def _language_config(sizes: Language) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.heads,
        intermediate_size=sizes.feedforward,
        max_position_embeddings=sizes.context,
    )
