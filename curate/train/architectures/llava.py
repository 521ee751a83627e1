"""LLaVA: a CLIP tower, a projector, a Llama decoder (Liu et al. 2023, arXiv 2304.08485 and 2310.03744).

Where we differ: a picture's places are already in `ids` (IMAGE), so sequences do not grow inside the model and none
is cut after splicing; text-only batches skip the tower; a sample whose labels cannot be told apart is refused, never
blanked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from curate.errors import TrainError
from curate.train.adapters import adapt
from curate.train.batch import Batch, Example
from curate.train.config import PromptedTraining
from curate.train.prompted import Prompted
from curate.train.samples import Posed, Sample, Turn
from curate.train.sizes import Lora, Vision
from curate.train.template import PICTURE, Mark, Piece, Slot, Unusable, Words, assemble
from curate.train.towers.language import blocks, build_language
from curate.train.towers.vision import build_vision, patch_states, transform_for
from curate.train.vocabulary import BEGIN, END, Vocabulary

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)


class LlavaConfig(PromptedTraining):
    """Sizes and recipe of a LLaVA."""

    PARTS: ClassVar[tuple[str, ...]] = ("vision", "projector", "language")

    architecture: Literal["llava"] = "llava"
    vision: Vision
    projector: Literal["linear", "mlp2x_gelu"]
    template: Literal["vicuna_v1", "plain"] = Field("vicuna_v1", description="plain: the caption alone, of stage 1")
    lora: Lora = Lora()
    vision_from: str = Field("", description="folder of CLIP vision weights")
    language_from: str = Field("", description="folder of Llama weights with their tokenizer.json")

    @model_validator(mode="after")
    def _adapts_what_learns(self) -> Self:
        if self.lora.rank and "language" not in self.trainable:
            raise ValueError("lora.rank: adapters learn where trainable names language; add it, or set lora.rank=0")
        return self


class Llava(Prompted):
    """Answers about pictures."""

    SEES: ClassVar[str] = "patches"

    def __init__(self, config: LlavaConfig) -> None:
        """Build with random weights, or without any inside `torch.device("meta")`."""
        super().__init__(config)
        self.vision = build_vision(config.vision, final_norm=True)
        self.projector = _projector(config.projector, config.vision.width, config.language.width)
        self.language = build_language(config.language)
        adapt(blocks(self.language), config.lora)
        self.freeze()

    def look(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, N, W]: the last but one of CLIP's hidden states, without its class token."""
        return patch_states(self.vision, pixels_PCSS)

    def features(self, batch: Batch) -> torch.Tensor:
        """Return [P, N, D]."""
        projected: torch.Tensor = self.projector(self.seen(batch))
        return projected


def _projector(kind: str, width: int, out: int) -> nn.Module:
    if kind == "linear":
        return nn.Linear(width, out)
    return nn.Sequential(nn.Linear(width, out), nn.GELU(), nn.Linear(out, out))


class LlavaExamples:
    """Conversations by the template vicuna_v1, or captions by the template plain."""

    VOCABULARIES: ClassVar[Mapping[str, tuple[str, ...]]] = {"language": (BEGIN, END)}

    def __init__(self, config: LlavaConfig, vocabularies: Mapping[str, Vocabulary]) -> None:
        """Look up the tokens that the templates need."""
        self.config, self.words = config, vocabularies["language"]
        self.begin, self.end = self.words.id(BEGIN), self.words.id(END)
        self.ends = (self.end,)
        self.stop = "\n" if config.template == "plain" else ""
        self.transform = transform_for(config.vision, config)

    def example(self, sample: Sample) -> Example:
        """Return a conversation, or a caption, of which the assistant's words are labels."""
        text = assemble(self.words, self.pieces(sample))
        if len(text) > self.config.language.context:
            raise Unusable("longer_than_context")
        return Example(text)

    def pieces(self, sample: Sample) -> Iterator[Piece]:
        """Spell a sample by the template."""
        if self.config.template == "plain":
            caption = sample.captions()[0]
            sample.seen()
            return iter((Mark(self.begin), self._slot(), Words(f"{caption}\n", answer=True)))
        return self.conversation(sample.turns())

    def conversation(self, turns: Sequence[Turn]) -> Iterator[Piece]:
        """Spell `SYSTEM USER: q ASSISTANT: a</s>USER: ...`; an empty last answer leaves the turn open."""
        yield Mark(self.begin)
        lead = SYSTEM
        for question, answer in turns:
            yield from self._pictured(f"{lead}USER: {question} ASSISTANT:")
            if answer:
                yield Words(f" {answer}", answer=True)
                yield Mark(self.end, answer=True)
            lead = ""

    def asked(self, question: str) -> Example:
        """Return an open question about one picture; by the template plain, the picture before its caption.

        Raises:
            TrainError: there is none, or it is too long.
        """
        if self.config.template == "plain":
            return Example(assemble(self.words, (Mark(self.begin), self._slot(), Words(question))))
        if not question:
            raise TrainError("give a question in words: the picture is put before it")
        text = assemble(self.words, self.conversation([(f"{PICTURE}\n{question}", "")]))
        if len(text) >= self.config.language.context:
            raise TrainError(
                f"the question is too long: {len(text)} of {self.config.language.context} places. Shorten it"
            )
        return Example(text)

    def posed(self, sample: Sample) -> Posed:
        """Have the first question answered, or the captions said by the template plain."""
        return sample.to_caption() if self.config.template == "plain" else sample.to_answer()

    @classmethod
    def texts(cls, sample: Sample) -> Iterator[str]:
        """Yield what a vocabulary of its own is learned from."""
        lead = SYSTEM
        for question, answer in sample.turns():
            yield f"{lead}USER: {question} ASSISTANT:".replace(PICTURE, "")
            yield f" {answer}"
            lead = ""

    def _pictured(self, text: str) -> Iterator[Piece]:
        first, *rest = text.split(PICTURE)
        yield Words(first)
        for part in rest:
            yield self._slot()
            yield Words(part)

    def _slot(self) -> Slot:
        return Slot(self.config.vision.patches)
