"""A checkpoint opened once: pictures and texts become batches, and batches are computed without gradients."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from curate.errors import TrainError
from curate.train import checkpoint
from curate.train.batch import Batch, Example
from curate.train.config import Training
from curate.train.corpus import Drawn, collate
from curate.train.pictures import Transform
from curate.train.template import Unusable
from curate.train.using.abilities import Embeds, Interleaves, Reads, Reranks, Speaks, able

BATCH = 32
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Opened:
    """A trained model and all that is needed to use it."""

    folder: Path
    trained: checkpoint.Trained
    batch_size: int = BATCH

    @property
    def config(self) -> Training:
        """What it was trained with."""
        return self.trained.state.config

    @property
    def model(self) -> Any:
        """The architecture; ask `speaks`, `embeds` or `reranks` for what it can do."""
        return self.trained.model

    @property
    def examples(self) -> Any:
        """How samples are read for it."""
        return self.trained.examples

    @cached_property
    def transform(self) -> Transform:
        """How pictures become pixels, the same each time: what was cropped at random in training is squeezed.

        As BLIP-2's code evaluates.
        """
        own = self.trained.examples.transform
        return own if own.repeats else replace(own, fit="squeeze")

    def speaks(self) -> Speaks:
        """Return the model, which must speak."""
        able(self.config.preset, self.model, Speaks, "Use `curate retrieve` or `curate embed`")
        speaker: Speaks = self.model
        return speaker

    def embeds(self) -> Embeds:
        """Return the model, which must compare by vectors."""
        able(self.config.preset, self.model, Embeds, "Use `curate generate`, or train blip2_stage1 or fromage")
        embedder: Embeds = self.model
        return embedder

    def reads(self) -> Reads:
        """Return the examples of a model that compares."""
        self.embeds()
        reader: Reads = self.examples
        return reader

    @property
    def reranks(self) -> Reranks | None:
        """The model, where it can look at a picture and a text together."""
        return self.model if isinstance(self.model, Reranks) else None

    def query(self, text: str) -> Example:
        """Return a text that is searched by, whole where the architecture allows it.

        Raises:
            TrainError: it cannot be searched by.
        """
        reader = self.reads()
        if isinstance(reader, Interleaves):
            return reader.wanted(text)
        try:
            return reader.captioned(text)
        except Unusable as reason:
            raise TrainError(f"the text {text!r} cannot be used: {reason}. Give it words") from None

    def decoded(self, picture: bytes) -> NDArray[np.uint8]:
        """Return uint8[S, S, 3].

        Raises:
            Unusable: it is no whole picture.
        """
        return self.transform.decode(picture, random.Random(0))

    def given(self, picture: bytes, called: str = "the picture") -> NDArray[np.uint8]:
        """Return uint8[S, S, 3] of a picture that somebody gave, `called` so.

        Raises:
            TrainError: it is no whole picture.
        """
        try:
            return self.decoded(picture)
        except Unusable as reason:
            raise TrainError(f"{called} cannot be used: {reason}. Give a whole jpg, png, webp or gif") from None

    def batch(self, examples: Sequence[Example], *, blank: bool = False) -> Batch:
        """Return examples as one batch where the model computes; pictures are the mean colour where `blank`."""
        drawn = Drawn(list(examples), list(range(len(examples))), [])
        return collate(drawn, self.transform, blank_pictures=blank).to(self.trained.model.device)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Compute without gradients, in the precision that was trained in."""
        with torch.inference_mode(), self.trained.model.in_precision():
            yield


def open_checkpoint(folder: str, batch_size: int = BATCH) -> Opened:
    """Open a checkpoint, or the newest one in a folder of them.

    Raises:
        TrainError: there is none, or it is broken.
    """
    found = checkpoint.newest(Path(folder))
    return Opened(found, checkpoint.open_model(found), batch_size)


def chunks(rows: Sequence[_Row], size: int) -> Iterator[Sequence[_Row]]:
    """Yield rows `size` at a time."""
    return (rows[start : start + size] for start in range(0, len(rows), size))
