"""Samples of runs as batches: any place of the training order, straight from the shards' index."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from curate.errors import TrainError
from curate.train.batch import Batch, Example, Text, dealt, told
from curate.train.config import Training
from curate.train.dealing import At
from curate.train.mixture import Mixture
from curate.train.pictures import Transform
from curate.train.samples import Posed, Sample
from curate.train.template import Unusable

if TYPE_CHECKING:
    from curate.train.features import Stored


class Examples(Protocol):
    """How an architecture reads samples: what becomes text, and what is learned of it."""

    transform: Transform
    ends: tuple[int, ...]
    """Tokens that end an answer."""
    stop: str
    """Words that end an answer, where no token does; empty for none."""

    def example(self, sample: Sample) -> Example:
        """Return a sample as numbers, without its picture.

        Raises:
            Unusable: the architecture cannot learn from it.
        """
        ...

    def asked(self, question: str) -> Example:
        """Return an open question about a picture, for the model to answer.

        Raises:
            TrainError: the architecture does not answer questions, or this one cannot be asked.
        """
        ...

    def posed(self, sample: Sample) -> Posed:
        """Return what the architecture is asked of a sample when it is evaluated: what it was trained to say.

        Raises:
            Unusable: the sample has nothing that it could be measured by.
        """
        ...


@dataclass(frozen=True)
class Drawn:
    """Examples of some places of the training order, and the samples there that cannot be used."""

    examples: list[Example]
    places: list[int]
    failed: list[tuple[str, str]]
    """Key and reason."""


class Corpus:
    """The samples of a mixture, in training order and tokenised; decoded pictures are kept up to `cache_bytes`."""

    def __init__(self, mixture: Mixture, config: Training, examples: Examples, stored: "Stored | None" = None) -> None:
        """Keep what is needed; nothing is read yet. Where features are `stored` no picture is decoded."""
        self._stored = stored
        self.mixture, self._config, self._examples = mixture, config, examples
        self._cache: dict[At, NDArray[np.uint8]] = {}
        self._room = config.cache_bytes // (3 * examples.transform.side**2)

    @property
    def transform(self) -> Transform:
        """How pictures become pixels."""
        return self._examples.transform

    def draw(self, places: Iterable[int]) -> Drawn:
        """Return the usable samples at places of the training order."""
        return self.take((self.mixture.training(place), place) for place in places)

    def take(self, wanted: Iterable[tuple[At, int]]) -> Drawn:
        """Return the usable ones of samples given by where they are and place."""
        drawn = Drawn([], [], [])
        for at, place in wanted:
            try:
                drawn.examples.append(self.example(at, place))
                drawn.places.append(place)
            except Unusable as reason:
                drawn.failed.append((self.mixture.key(at), str(reason)))
        return drawn

    def spare(self) -> Drawn:
        """Return the first usable sample of the training order, for a process that has none of its own.

        Raises:
            TrainError: no sample can be used.
        """
        for place in range(self.mixture.trained):
            drawn = self.draw([place])
            if drawn.examples:
                return drawn
        raise TrainError("no sample can be used; metrics.jsonl says why")

    def collate(self, drawn: Drawn, *, blank_pictures: bool = False) -> Batch:
        """Make samples a batch; each picture is blank where `blank_pictures`."""
        blank = None if self._stored is None else self._stored.blank
        return collate(drawn, self.transform, blank_pictures=blank_pictures, blank=blank, room=self._places)

    @property
    def _places(self) -> int:
        """Places of a row into which sequences are packed, 0 where each has its own."""
        config: Any = self._config
        return config.language.context if getattr(config, "pack", False) else 0

    def example(self, at: At, place: int) -> Example:
        """Read one sample.

        Raises:
            Unusable: it cannot be trained on.
        """
        sample = self._sample(at, place)
        example = self._examples.example(sample)
        picture = None if sample.picture is None else self._picture(at, sample)
        return replace(example, picture=picture)

    def read(self, at: At, place: int) -> Example:
        """Read one sample without its picture.

        Raises:
            Unusable: it cannot be trained on.
        """
        return self._examples.example(self._sample(at, place))

    def _sample(self, at: At, place: int) -> Sample:
        return Sample(self.mixture.read(at), random.Random(f"{self._config.seed},{place}"))

    def _picture(self, at: At, sample: Sample) -> NDArray[Any]:
        return self._decoded(at, sample) if self._stored is None else self._stored.of(at)

    def _decoded(self, at: At, sample: Sample) -> NDArray[np.uint8]:
        """Decode once: 1.3 ms for a cut-out of 0.05 megapixels, a step of llava-tiny takes 6 ms a sample."""
        if at in self._cache:
            return self._cache[at]
        transform = self._examples.transform
        pixels = transform.decode(sample.seen(), sample.draw)
        if transform.repeats and len(self._cache) < self._room:
            self._cache[at] = pixels
        return pixels


def collate(
    drawn: Drawn,
    transform: Transform,
    *,
    blank_pictures: bool = False,
    blank: torch.Tensor | None = None,
    room: int = 0,
) -> Batch:
    """Pad examples to one length; pictures become the mean colour where `blank_pictures`.

    Examples hold features where `blank` is given: those of a blank picture, float32[1, ...]. Where there is `room` they
    are packed into rows of up to so many places, and stand in the batch in the order in which rows are read.
    """
    text, drawn = _laid(drawn, room)
    examples = drawn.examples
    shown = [] if blank_pictures else [e.picture for e in examples if e.picture is not None]
    count = sum(e.picture is not None for e in examples)
    if blank is None:
        pictures = transform.normalised(np.stack(shown)) if shown else transform.blank(count)
    else:
        pictures = torch.from_numpy(np.stack(shown)).float() if shown else blank.expand(count, *blank.shape[1:])
    answers = [e.answer for e in examples if e.answer is not None]
    asked = [e.told for e in examples if e.told is not None]
    return Batch(
        text=text,
        told=told(asked) if asked else None,
        answer=Text.padded(answers) if answers else None,
        pictures=pictures,
        cached=blank is not None,
        places_B=torch.tensor(drawn.places),
    )


def _laid(drawn: Drawn, room: int) -> tuple[Text, Drawn]:
    """Return texts, packed where there is room, and the samples in the order in which their texts are read."""
    if not room:
        return Text.padded([e.text for e in drawn.examples]), drawn
    rows = dealt([len(e.text) for e in drawn.examples], room)
    text = Text.packed([[drawn.examples[number].text for number in row] for row in rows])
    order = [number for row in rows for number in row]
    return text, Drawn([drawn.examples[n] for n in order], [drawn.places[n] for n in order], drawn.failed)
