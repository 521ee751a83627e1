"""MiniGPT-4: all of BLIP-2 and Vicuna frozen, one linear layer between them learns (Zhu et al. 2023, arXiv 2304.10592).

Stage 1 learns from captions without any prompt; stage 2 from few, long, curated descriptions, asked for in one of
four ways. The Llama-2 variant has no Q-Former: four neighbouring patches together make one place.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from curate.train.architectures.blip2 import NORM_EPSILON
from curate.train.batch import Batch, Example
from curate.train.config import PromptedTraining
from curate.train.prompted import Prompted
from curate.train.samples import Posed, Sample
from curate.train.sizes import QFormer, Vision
from curate.train.template import PICTURE, UNLABELLED, Mark, Piece, Slot, Tokens, Unusable, Words, assemble
from curate.train.towers import qformer
from curate.train.towers.language import build_language
from curate.train.towers.vision import all_states, build_vision, transform_for
from curate.train.vocabulary import BEGIN, END, Vocabulary

LINE_END = "\n"
INSTRUCTIONS = (
    "Describe this image in detail.",
    "Take a look at this image and describe what you notice.",
    "Please provide a detailed description of the picture.",
    "Could you describe the contents of this image for me?",
)
"""What stage 2 asks, one drawn for each sample that brings no question of its own."""
TEMPLATES = {
    "vicuna_v0": ("###Human: <Img>", "</Img> {} ###Assistant:", "###"),
    "llama_2": ("[INST] <Img>", "</Img> {} [/INST]", END),
}
"""Before the picture, after it, and what ends an answer."""


class MiniGpt4Config(PromptedTraining):
    """Sizes and recipe of a MiniGPT-4."""

    PARTS: ClassVar[tuple[str, ...]] = ("vision", "norm", "qformer", "projector", "language")

    architecture: Literal["minigpt4"] = "minigpt4"
    vision: Vision
    qformer: QFormer = QFormer()
    grouped: int = Field(0, ge=0, description="patches that make one place together, instead of a Q-Former")
    template: Literal["none", "vicuna_v0", "llama_2"] = Field("none", description="none: the caption alone, of stage 1")
    text_tokens: int = Field(32, ge=1, description="of what is said, at most; the rest is cut off")
    vision_from: str = Field("", description="folder of vision weights")
    qformer_from: str = Field("", description="folder of a BLIP-2 Q-Former's weights")
    language_from: str = Field("", description="folder of Vicuna or Llama 2 weights with their tokenizer.json")

    @property
    def places(self) -> int:
        """Places that a picture takes in a sequence."""
        return self.vision.patches // self.grouped if self.grouped else self.qformer.queries


class MiniGpt4(Prompted):
    """Describes pictures."""

    SEES: ClassVar[str] = "queries"
    LOOKS: ClassVar[tuple[str, ...]] = ("vision", "norm", "qformer")

    def __init__(self, config: MiniGpt4Config) -> None:
        """Build with random weights, or without any inside `torch.device("meta")`."""
        super().__init__(config)
        self.grouped, self.places = config.grouped, config.places
        self.vision = build_vision(config.vision)
        self.norm = nn.LayerNorm(config.vision.width, eps=NORM_EPSILON)
        width = config.vision.width * config.grouped or config.qformer.width
        none = bool(config.grouped)
        self.qformer = nn.Identity() if none else qformer.QFormer(config.qformer, config.vision.width, text=False)
        self.projector = nn.Linear(width, config.language.width)
        self.language = build_language(config.language)
        self.freeze()

    def look(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, Q, H], or [P, N / grouped, W * grouped]: everything before the layer that learns."""
        states_PMW = self.norm(all_states(self.vision, pixels_PCSS))
        if not self.grouped:
            queries: torch.Tensor = self.qformer.look(states_PMW)
            return queries
        patches_PNW = states_PMW[:, -self.places * self.grouped :]  # without the class token
        return patches_PNW.reshape(len(patches_PNW), -1, patches_PNW.shape[2] * self.grouped)

    def features(self, batch: Batch) -> torch.Tensor:
        """Return [P, places, D]."""
        projected: torch.Tensor = self.projector(self.seen(batch))
        return projected


class MiniGpt4Examples:
    """Captions alone in stage 1, descriptions that were asked for in stage 2."""

    VOCABULARIES: ClassVar[Mapping[str, tuple[str, ...]]] = {"language": (BEGIN, END)}

    def __init__(self, config: MiniGpt4Config, vocabularies: Mapping[str, Vocabulary]) -> None:
        """Look up the tokens that the templates need."""
        self.config, self.words = config, vocabularies["language"]
        self.begin, self.end = self.words.id(BEGIN), self.words.id(END)
        self.ends = (self.end,)
        self.stop = LINE_END if config.template == "none" else TEMPLATES[config.template][2]
        self.transform = transform_for(config.vision, config)

    def example(self, sample: Sample) -> Example:
        """Return a caption, or a question about the picture and its answer."""
        sample.seen()
        if self.config.template == "none":
            return Example(self._cut((), f"{sample.captions()[0]}{LINE_END}"))
        question, answer = self._turn(sample)
        closing = TEMPLATES[self.config.template][2]
        return Example(
            self._cut(self._question(question), f" {answer}{'' if closing == END else closing}", closing == END)
        )

    def asked(self, question: str) -> Example:
        """Return an open question, or the bare picture in stage 1."""
        if self.config.template == "none":
            return Example(assemble(self.words, (Mark(self.begin), self._slot())))
        return Example(assemble(self.words, (Mark(self.begin), *self._question(question or INSTRUCTIONS[0]))))

    def posed(self, sample: Sample) -> Posed:
        """Have the first question answered, or the captions said where no question came with them."""
        talks = self.config.template != "none" and "conversations" in sample.facts
        return sample.to_answer() if talks else sample.to_caption()

    @classmethod
    def texts(cls, sample: Sample) -> Iterator[str]:
        """Yield what a vocabulary of its own is learned from."""
        yield from (f"{caption}{LINE_END}" for caption in sample.captions())
        yield from INSTRUCTIONS

    def _turn(self, sample: Sample) -> tuple[str, str]:
        """Return the first turn of a conversation, or a drawn instruction and the caption."""
        if "conversations" not in sample.facts:
            return sample.draw.choice(INSTRUCTIONS), sample.captions()[0]
        question, answer = sample.turns()[0]
        return question.replace(PICTURE, "").strip(), answer.strip()

    def _question(self, question: str) -> tuple[Piece, ...]:
        before, after, _ = TEMPLATES[self.config.template]
        return Words(before), self._slot(), Words(after.format(question))

    def _cut(self, asked: tuple[Piece, ...], said: str, ends: bool = False) -> Tokens:
        """Spell begin, question and answer, the answer cut to `text_tokens`."""
        lead = (Mark(self.begin), *(asked or (self._slot(),)))
        tail = (Mark(self.end, answer=True),) if ends else ()
        tokens = assemble(self.words, (*lead, Words(said, answer=True), *tail))
        begins = next((n for n, label in enumerate(tokens.labels) if label != UNLABELLED), len(tokens))
        room = begins + self.config.text_tokens
        if min(room, len(tokens)) > self.config.language.context:
            raise Unusable("longer_than_context")
        return Tokens(tokens.ids[:room], tokens.labels[:room])

    def _slot(self) -> Slot:
        return Slot(self.config.places)
