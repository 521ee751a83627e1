"""Architectures that put pictures between the words of a language model and learn what it says next."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from curate.train import decoder, encoder_decoder
from curate.train.batch import Batch
from curate.train.decoder import Decoding
from curate.train.model import Architecture, Sums
from curate.train.towers.language import blocks


class Prompted(Architecture):
    """p(answer | picture, words), token by token."""

    language: Any
    """A language model of transformers."""

    @abstractmethod
    def features(self, batch: Batch) -> torch.Tensor:
        """Return [P, N, D]: each picture as the language model reads it."""

    def embed(self, batch: Batch) -> torch.Tensor:
        """Return [B, L, D]: a batch as the language model reads it."""
        features = self.features(batch) if len(batch.pictures) else batch.pictures
        return decoder.splice(self.language, batch.text.ids_BL, features)

    def count(self, batch: Batch) -> dict[str, int]:
        """Return the number of labelled tokens."""
        return {"tokens": (batch.answer or batch.text).labelled}

    def forward(self, batch: Batch) -> Sums:
        """Return the summed cross-entropy of labelled tokens, in nats."""
        embeds_BLD = self.embed(batch)
        if batch.answer is None:
            return {"tokens": decoder.loss_sum(self.language, embeds_BLD, batch.text)}
        return {"tokens": encoder_decoder.loss_sum(self.language, embeds_BLD, batch.text, batch.answer)}

    @torch.inference_mode()
    def generate(self, batch: Batch, how: Decoding) -> list[list[int]]:
        """Return the tokens that each sample's text is answered with."""
        embeds_BLD = self.embed(batch)
        if self.language.config.is_encoder_decoder:
            return encoder_decoder.speak(self.language, embeds_BLD, batch.text, how)
        rows = [row[mask > 0] for row, mask in zip(embeds_BLD, batch.text.mask_BL, strict=True)]
        return decoder.speak(self.language, rows, how)

    def blocks(self) -> Sequence[nn.Module]:
        """Return the layers of a Q-Former, where there is one, and of the language model."""
        return [*getattr(getattr(self, "qformer", None), "layers", ()), *blocks(self.language)]
