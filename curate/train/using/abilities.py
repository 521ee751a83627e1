"""What an architecture may be able to do, as small protocols: an architecture has the methods, and needs no more.

Axes: P pictures, Q vectors of one picture, B texts or pairs, E width of the shared space, M places of a picture.
"""

from typing import Protocol, runtime_checkable

import torch

from curate.errors import TrainError
from curate.train.batch import Batch, Example, Text
from curate.train.decoder import Decoding


@runtime_checkable
class Speaks(Protocol):
    """Says something about a picture; its examples have `asked`."""

    def generate(self, batch: Batch, how: Decoding) -> list[list[int]]:
        """Return the tokens that each sample's text is answered with."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """Compares pictures with texts by unit vectors; its examples are `Reads`."""

    def embed_images(self, batch: Batch) -> torch.Tensor:
        """Return [P, E], or [P, Q, E] where a picture has several vectors, of which the best counts."""
        ...

    def embed_texts(self, batch: Batch) -> torch.Tensor:
        """Return [B, E]."""
        ...


@runtime_checkable
class Reranks(Protocol):
    """Looks at a picture and a text together, which is slower and sees more."""

    def match_logits(self, seen: torch.Tensor, text: Text) -> torch.Tensor:
        """Return [B]: the logit that what `look` said of each picture and each text are a true pair."""
        ...


@runtime_checkable
class Reads(Protocol):
    """Examples that can make a caption numbers, as in training."""

    def captioned(self, caption: str) -> Example:
        """Return a caption as numbers.

        Raises:
            Unusable: no word of it is left.
        """
        ...


@runtime_checkable
class Interleaves(Protocol):
    """Examples of what is searched for by texts with pictures between their words."""

    def wanted(self, text: str) -> Example:
        """Return a text that asks for a picture; `<image>` stands for each of its own.

        Raises:
            TrainError: it is too long.
        """
        ...


def able(preset: str, thing: object, ability: type[object], instead: str) -> None:
    """Refuse what a model cannot do.

    Raises:
        TrainError: it has not the methods; `instead` says what to use.
    """
    if not isinstance(thing, ability):
        raise TrainError(f"{preset} {_CANNOT[ability]}. {instead}")


_CANNOT: dict[type[object], str] = {
    Speaks: "compares pictures and texts and says nothing",
    Embeds: "answers about pictures and has no vectors to compare them by",
    Reranks: "compares by vectors alone and has nothing to re-rank by",
    Interleaves: "reads a text or a picture, not both together",
}
