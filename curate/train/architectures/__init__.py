"""Every architecture by name: its settings, its model, how it reads samples. One file for each paper."""

from dataclasses import dataclass
from typing import Any

from curate.train.architectures.fromage import Fromage, FromageConfig
from curate.train.architectures.fromage_texts import FromageExamples
from curate.train.architectures.llava import Llava, LlavaConfig, LlavaExamples
from curate.train.config import Training
from curate.train.model import Architecture


@dataclass(frozen=True)
class Kind:
    """What an architecture is made of."""

    settings: type[Training]
    model: type[Architecture]
    examples: Any
    """Made from (settings, vocabularies); see `corpus.Examples`."""


KINDS = {
    "fromage": Kind(FromageConfig, Fromage, FromageExamples),
    "llava": Kind(LlavaConfig, Llava, LlavaExamples),
}


def kind_of(config: Training) -> Kind:
    """Return the architecture that settings are of."""
    return KINDS[config.architecture]
