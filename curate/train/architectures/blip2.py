"""BLIP-2's second stage: a frozen language model learns nothing, a Q-Former learns to speak to it.

Li et al. 2023, arXiv 2301.12597, section 3.2. With OPT the caption follows the queries; with Flan-T5 it is split at a
drawn word, the encoder reads the queries and what is before, the decoder says the rest. The paper gives no rule for
the split; ours draws every word with equal chance. Captions are cut to `text_tokens`, as in the paper's own code.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from curate.train.batch import Batch, Example
from curate.train.caption import cleaned
from curate.train.config import PromptedTraining
from curate.train.prompted import Prompted
from curate.train.samples import Posed, Sample
from curate.train.sizes import QFormer, Vision
from curate.train.template import Mark, Piece, Slot, Tokens, Words, assemble
from curate.train.towers import qformer
from curate.train.towers.language import build_language
from curate.train.towers.vision import all_states, build_vision, transform_for
from curate.train.vocabulary import END, Vocabulary

NORM_EPSILON = 1e-5
LINE_END = "\n"


class Blip2Config(PromptedTraining):
    """Sizes and recipe of BLIP-2's second stage."""

    PARTS: ClassVar[tuple[str, ...]] = ("vision", "norm", "qformer", "projector", "language")

    architecture: Literal["blip2"] = "blip2"
    vision: Vision
    qformer: QFormer
    prompt: str = Field("", description="words before the caption, such as 'a photo of'; no labels")
    text_tokens: int = Field(32, ge=1, description="of a caption, at most; the rest is cut off")
    captions: int = Field(2, ge=1, description="best captions of a sample, of which one is drawn each time")
    vision_from: str = Field("", description="folder of vision weights")
    language_from: str = Field("", description="folder of OPT or Flan-T5 weights with their tokenizer.json")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        longest = self.qformer.queries + self.text_tokens
        if self.language.kind == "opt" and longest > self.language.context:
            raise ValueError(f"captions take up to {longest} places, language.context is {self.language.context}")
        return self


class Blip2(Prompted):
    """Says what is in a picture."""

    SEES: ClassVar[str] = "states"

    def __init__(self, config: Blip2Config) -> None:
        """Build with random weights, or without any inside `torch.device("meta")`."""
        super().__init__(config)
        self.vision = build_vision(config.vision)
        self.norm = nn.LayerNorm(config.vision.width, eps=NORM_EPSILON)
        self.qformer = qformer.QFormer(config.qformer, config.vision.width, text=False)
        self.projector = nn.Linear(config.qformer.width, config.language.width)
        self.language = build_language(config.language)
        self.freeze()

    def look(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, M, W]."""
        return all_states(self.vision, pixels_PCSS)

    def features(self, batch: Batch) -> torch.Tensor:
        """Return [P, Q, D]: the queries, in the language model's space."""
        projected: torch.Tensor = self.projector(self.qformer.look(self.norm(self.seen(batch))))
        return projected


class Blip2Examples:
    """Captions, after the queries of their picture."""

    VOCABULARIES: ClassVar[Mapping[str, tuple[str, ...]]] = {"language": (END,)}

    def __init__(self, config: Blip2Config, vocabularies: Mapping[str, Vocabulary]) -> None:
        """Look up the tokens that captions need."""
        self.config, self.words = config, vocabularies["language"]
        self.end = self.words.id(END)
        self.encodes = config.language.kind == "t5"
        self.ends = (self.end,)
        self.stop = "" if self.encodes else LINE_END
        self.transform = transform_for(config.vision, config)

    def example(self, sample: Sample) -> Example:
        """Return one of the best captions, cleaned as the paper's code does."""
        sample.seen()
        caption = cleaned(sample.draw.choice(sample.captions()[: self.config.captions]))
        return self._split(caption, sample) if self.encodes else Example(self._cut(self._following(caption)))

    def asked(self, question: str) -> Example:
        """Return an open caption, or an open answer where there is a question."""
        lead = question or self.config.prompt
        if self.encodes:
            return Example(self._encoded(lead))
        return Example(assemble(self.words, (self._slot(), Mark(self.end), Words(lead))))

    def posed(self, sample: Sample) -> Posed:
        """Have its captions said."""
        return sample.to_caption()

    @classmethod
    def texts(cls, sample: Sample) -> Iterator[str]:
        """Yield what a vocabulary of its own is learned from."""
        yield from (f" {cleaned(caption)}{LINE_END}" for caption in sample.captions())

    def _following(self, caption: str) -> Iterator[Piece]:
        """Spell queries, `</s>`, caption, line end; labels begin after a prompt, or after the queries."""
        prompt = self.config.prompt
        yield self._slot()
        yield Mark(self.end, answer=not prompt)
        yield Words(prompt)
        yield Words(f" {caption}{LINE_END}" if prompt else f"{caption}{LINE_END}", answer=True)

    def _split(self, caption: str, sample: Sample) -> Example:
        words = caption.split()
        cut = sample.draw.randrange(len(words))
        answer = assemble(self.words, (Words(" ".join(words[cut:]), answer=True),))
        room = self.config.text_tokens - 1
        said = Tokens([*answer.ids[:room], self.end], [*answer.labels[:room], self.end])
        return Example(self._encoded(" ".join(words[:cut])), answer=said)

    def _encoded(self, lead: str) -> Tokens:
        return assemble(self.words, (self._slot(), Words(lead), Mark(self.end)))

    def _cut(self, pieces: Iterator[Piece]) -> Tokens:
        tokens = assemble(self.words, pieces)
        room = self.config.qformer.queries + self.config.text_tokens
        return Tokens(tokens.ids[:room], tokens.labels[:room])

    def _slot(self) -> Slot:
        return Slot(self.config.qformer.queries)
