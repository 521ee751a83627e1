"""Everything that changes while a model is trained, and how it begins."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from curate.errors import TrainError
from curate.train.architectures import kind_of
from curate.train.config import Training
from curate.train.corpus import Examples
from curate.train.mixture import Mixture
from curate.train.model import Architecture, Part
from curate.train.optimizer import optimizer_for
from curate.train.samples import Sample
from curate.train.sharding import Placement
from curate.train.template import Unusable
from curate.train.towers.hollow import hollow
from curate.train.towers.language import checkpoint_activations
from curate.train.vocabulary import FILE, Vocabulary, learn, load
from curate.train.weights import fill, fingerprint, newest_weights

TOKENIZER_SAMPLES = 20_000  # a vocabulary of a few thousand changes little past this many short conversations

Progress = Callable[[dict[str, Any]], None]


@dataclass
class Learner:
    """A model on its way: what a checkpoint holds."""

    model: Architecture
    vocabularies: dict[str, Vocabulary]
    optimizer: torch.optim.Optimizer
    frozen: dict[str, str]
    """The sha256 of each part that does not learn."""
    step: int = 0
    """Steps done."""
    failed: int = 0
    """Samples drawn so far that could not be used; a sample counts each time it is drawn."""

    @cached_property
    def examples(self) -> Examples:
        """How samples are read for this model."""
        return examples_of(self.model.training_config, self.vocabularies)


def examples_of(config: Training, vocabularies: dict[str, Vocabulary]) -> Examples:
    """Return how samples are read for a model of these settings."""
    made: Examples = kind_of(config).examples(config, vocabularies)
    return made


def begin(config: Training, mixture: Mixture, place: Placement) -> Learner:
    """Build model, vocabularies and optimizer.

    Raises:
        TrainError: weights that the config asks for are missing or of other sizes.
    """
    vocabularies = vocabularies_for(config, mixture)
    return settled(build(config), vocabularies, place)


def vocabularies_for(config: Training, mixture: Mixture) -> dict[str, Vocabulary]:
    """Return the vocabularies of an architecture: those of its weights, or learned from the samples.

    Raises:
        TrainError: one that the config asks for is missing or does not fit.
    """
    return {name: _vocabulary(name, config, mixture) for name in kind_of(config).examples.VOCABULARIES}


def settled(model: Architecture, vocabularies: dict[str, Vocabulary], place: Placement) -> Learner:
    """Put a model that is whole where it learns, with an optimizer that has seen nothing."""
    frozen = {name: fingerprint(part) for name, part in (*model.frozen(), *model.adapted())}
    place.settle(model)
    return Learner(model, vocabularies, optimizer_for(model), frozen)


def build(config: Training) -> Architecture:
    """Make a model whose random weights are a function of the seed, and load those that come from elsewhere.

    Raises:
        TrainError: weights that the config asks for are missing or of other sizes.
    """
    torch.manual_seed(config.seed)
    with hollow(_loaded(config)):
        model = kind_of(config).model(config)
    fill(model, config)
    if config.precision == "bfloat16":
        for _, part in (*model.frozen(), *model.adapted()):
            halve(part)
    if config.checkpoint_activations:
        checkpoint_activations(model.blocks())
    return model


def _loaded(config: Training) -> dict[str, torch.dtype]:
    """Return the parts that a folder fills whole, and the type that they are kept in."""
    half = config.precision == "bfloat16"
    named = [name for name in ("vision", "language") if getattr(config, f"{name}_from", "")]
    return {name: torch.bfloat16 if half and name not in config.trainable else torch.float32 for name in named}


def halve(part: Part) -> None:
    """Store what does not learn of a part in bfloat16.

    Buffers that are computed from settings stay: half of the digits of Llama's frequencies would turn its places
    by whole radians.
    """
    if not isinstance(part, nn.Module):
        return
    for parameter in part.parameters():
        if not parameter.requires_grad:
            parameter.data = parameter.data.to(torch.bfloat16)
    stored = part.state_dict().keys()
    for name, buffer in list(part.named_buffers()):
        if name in stored and buffer.is_floating_point():
            path, _, last = name.rpartition(".")
            setattr(part.get_submodule(path), last, buffer.to(torch.bfloat16))


def _vocabulary(name: str, config: Training, mixture: Mixture) -> Vocabulary:
    """Read the vocabulary beside a part's weights, or learn one; a part has at least as many embeddings."""
    path, room = _tokenizer(name, config), getattr(config, name).vocabulary
    specials = kind_of(config).examples.VOCABULARIES[name]
    if path is None:
        return learn(_texts(config, mixture), room, specials)
    vocabulary = load(path)
    for token in specials:
        vocabulary.id(token)
    if len(vocabulary) > room:
        raise TrainError(f"{path.parent}: has {len(vocabulary)} tokens, but {name}.vocabulary is {room}")
    return vocabulary


def _tokenizer(name: str, config: Training) -> Path | None:
    """Return the file of a part's vocabulary: in the folder of its weights, or where the model starts from."""
    folder, own = getattr(config, f"{name}_from", ""), f"tokenizer-{name}.json"
    places = [Path(folder) / own] if folder else [newest_weights(Path(start)).parent / own for start in config.starts]
    found = [path for path in places if path.is_file()]
    if found:
        return found[-1]
    return Path(folder) / FILE if folder else None


def _texts(config: Training, mixture: Mixture) -> Iterator[str]:
    """Yield what the first samples in training order say."""
    for place in range(min(mixture.trained, TOKENIZER_SAMPLES)):
        try:
            sample = Sample(mixture.read(mixture.training(place)), random.Random(place))
            yield from kind_of(config).examples.texts(sample)
        except Unusable:  # counted when it is drawn
            continue
