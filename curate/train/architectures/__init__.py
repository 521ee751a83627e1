"""Every architecture by name: its settings, its model, how it reads samples. One file for each paper."""

from dataclasses import dataclass
from typing import Any

from curate.train.architectures.blip2 import Blip2, Blip2Config, Blip2Examples
from curate.train.architectures.blip2_stage1 import Blip2Stage1, Blip2Stage1Config, Blip2Stage1Examples
from curate.train.architectures.fromage import Fromage, FromageConfig
from curate.train.architectures.fromage_texts import FromageExamples
from curate.train.architectures.instructblip import InstructBlip, InstructBlipConfig, InstructBlipExamples
from curate.train.architectures.llava import Llava, LlavaConfig, LlavaExamples
from curate.train.architectures.minigpt4 import MiniGpt4, MiniGpt4Config, MiniGpt4Examples
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
    "blip2_stage1": Kind(Blip2Stage1Config, Blip2Stage1, Blip2Stage1Examples),
    "blip2": Kind(Blip2Config, Blip2, Blip2Examples),
    "instructblip": Kind(InstructBlipConfig, InstructBlip, InstructBlipExamples),
    "minigpt4": Kind(MiniGpt4Config, MiniGpt4, MiniGpt4Examples),
    "fromage": Kind(FromageConfig, Fromage, FromageExamples),
    "llava": Kind(LlavaConfig, Llava, LlavaExamples),
}


def kind_of(config: Training) -> Kind:
    """Return the architecture that settings are of."""
    return KINDS[config.architecture]
