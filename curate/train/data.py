"""Samples of a run as batches: any position of the training order, straight from the shards' index.

Shape suffixes here and in llava.py: B sequences, L places, P pictures of the batch, N patches, D width of the decoder,
W width of the tower, V vocabulary, C colours, S side in pixels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from curate.shards import ShardReader
from curate.train.order import sampler
from curate.train.pictures import FORMATS, blank, decode, normalised
from curate.train.presets import Config
from curate.train.tokens import UNLABELLED, learn, pictures_named, tokenise, turns

TOKENIZER_SAMPLES = 20_000  # a vocabulary of a few thousand changes little past this many short conversations


@dataclass(frozen=True)
class Example:
    """One sample as numbers."""

    ids: list[int]
    labels: list[int]
    pixels: NDArray[np.uint8] | None


@dataclass(frozen=True)
class Batch:
    """What one step eats; right-padded."""

    ids_BL: torch.Tensor
    labels_BL: torch.Tensor
    mask_BL: torch.Tensor
    pixels_PCSS: torch.Tensor

    @property
    def tokens(self) -> int:
        """Labelled tokens: what the loss is a mean over."""
        return int((self.labels_BL != UNLABELLED).sum())


class Corpus:
    """The samples of a run, in training order and tokenised; decoded pictures are kept up to `cache_bytes`."""

    def __init__(self, reader: ShardReader, config: Config, tokenizer: Tokenizer) -> None:
        """Keep what is needed; nothing is read yet."""
        self._reader, self._config, self._tokenizer = reader, config, tokenizer
        self.training, self.held_out = sampler(len(reader), config.held_out, config.seed)
        self._cache: dict[int, NDArray[np.uint8]] = {}
        self._room = config.cache_bytes // (3 * config.vision.image_size**2)

    def draw(self, indices: Iterable[int]) -> tuple[list[Example], list[tuple[str, str]]]:
        """Return the usable samples of `indices`, and (key, reason) of the others."""
        usable, failed = [], []
        for index in indices:
            example = self.example(index)
            if isinstance(example, Example):
                usable.append(example)
            else:
                failed.append((self._reader.key(index), example))
        return usable, failed

    def example(self, index: int) -> Example | str:
        """Read one sample; return the reason where it cannot be trained on."""
        members = self._reader.read(index)
        conversation = turns(members.get("json", b""))
        if isinstance(conversation, str):
            return conversation
        picture = next((members[name] for name in FORMATS if name in members), None)
        if pictures_named(conversation) != (picture is not None):
            return "pictures_and_placeholders_differ"
        tokens = tokenise(self._tokenizer, conversation, self._config.vision.patches)
        if len(tokens.ids) > self._config.language.context:
            return "longer_than_context"
        pixels = None if picture is None else self._decoded(index, picture)
        return pixels if isinstance(pixels, str) else Example(tokens.ids, tokens.labels, pixels)

    def _decoded(self, index: int, picture: bytes) -> NDArray[np.uint8] | str:
        """Decode once: 1.3 ms for a cut-out of 0.05 megapixels, a step of llava-tiny takes 6 ms a sample."""
        if index in self._cache:
            return self._cache[index]
        pixels = decode(picture, self._config.vision.image_size, self._config.max_pixels)
        if not isinstance(pixels, str) and len(self._cache) < self._room:
            self._cache[index] = pixels
        return pixels


def collate(examples: Sequence[Example], side: int, *, blank_pictures: bool) -> Batch:
    """Pad examples to one length; pictures become the mean colour where `blank_pictures`."""
    length = max(len(e.ids) for e in examples)
    shown = [e.pixels for e in examples if e.pixels is not None]
    blind = blank_pictures or not shown
    return Batch(
        ids_BL=_padded([e.ids for e in examples], length, 0),
        labels_BL=_padded([e.labels for e in examples], length, UNLABELLED),
        mask_BL=_padded([[1] * len(e.ids) for e in examples], length, 0),
        pixels_PCSS=blank(len(shown), side) if blind else normalised(np.stack(shown)),
    )


def _padded(rows: list[list[int]], length: int, filling: int) -> torch.Tensor:
    return torch.tensor([row + [filling] * (length - len(row)) for row in rows])


def learn_tokenizer(reader: ShardReader, config: Config) -> Tokenizer:
    """Train a tokenizer on the conversations of the first samples in training order."""
    training, _ = sampler(len(reader), config.held_out, config.seed)
    count = min(len(reader) - config.held_out, TOKENIZER_SAMPLES)
    read = (turns(reader.read(training(p)).get("json", b"")) for p in range(count))
    return learn((c for c in read if not isinstance(c, str)), config.language.vocabulary)
