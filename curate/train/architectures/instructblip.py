"""InstructBLIP: BLIP-2 whose Q-Former is told the instruction too (Dai et al. 2023, arXiv 2305.06500).

Queries and instruction see each other in the Q-Former, and only the queries go on to the language model, which reads
the instruction once more in words of its own. Instructions longer than `instruction_tokens` lose their beginning, as
in the paper's code; answers are never cut.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from curate.errors import TrainError
from curate.train.architectures.blip2 import NORM_EPSILON
from curate.train.batch import Batch, Example
from curate.train.config import PromptedTraining
from curate.train.prompted import Prompted
from curate.train.samples import Posed, Sample
from curate.train.sizes import QFormer, Vision
from curate.train.template import PICTURE, UNLABELLED, Mark, Slot, Tokens, Unusable, Words, assemble
from curate.train.towers import qformer
from curate.train.towers.language import build_language
from curate.train.towers.vision import all_states, build_vision, transform_for
from curate.train.vocabulary import CLASS, DECODE, END, SEPARATOR, Vocabulary


class InstructBlipConfig(PromptedTraining):
    """Sizes and recipe of an InstructBLIP."""

    PARTS: ClassVar[tuple[str, ...]] = ("vision", "norm", "qformer", "projector", "language")

    architecture: Literal["instructblip"] = "instructblip"
    vision: Vision
    qformer: QFormer
    instruction_tokens: int = Field(128, ge=3, description="of an instruction, at most; the first are cut off")
    answer_tokens: int = Field(256, ge=2, description="of an answer, at most; a longer one is not used")
    vision_from: str = Field("", description="folder of vision weights")
    qformer_from: str = Field("", description="folder of a BLIP-2 Q-Former's weights with BERT's tokenizer.json")
    language_from: str = Field("", description="folder of Vicuna or Flan-T5 weights with their tokenizer.json")


class InstructBlip(Prompted):
    """Follows an instruction about a picture."""

    SEES: ClassVar[str] = "states"

    def __init__(self, config: InstructBlipConfig) -> None:
        """Build with random weights, or without any inside `torch.device("meta")`."""
        super().__init__(config)
        self.vision = build_vision(config.vision)
        self.norm = nn.LayerNorm(config.vision.width, eps=NORM_EPSILON)
        self.qformer = qformer.QFormer(config.qformer, config.vision.width, text=True)
        self.projector = nn.Linear(config.qformer.width, config.language.width)
        self.language = build_language(config.language)
        self.freeze()

    def look(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, M, W]."""
        return all_states(self.vision, pixels_PCSS)

    def features(self, batch: Batch) -> torch.Tensor:
        """Return [P, Q, D]: queries that saw picture and instruction, in the language model's space.

        Raises:
            ValueError: the batch tells the Q-Former nothing.
        """
        if batch.told is None:
            raise ValueError("no instruction for the Q-Former")
        states = self.qformer.both(self.norm(self.seen(batch)), batch.told.ids_BL, batch.told.mask_BL)
        projected: torch.Tensor = self.projector(states[:, : self.qformer.queries.shape[1]])
        return projected


class InstructBlipExamples:
    """One instruction of a conversation, and its answer."""

    VOCABULARIES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "language": (END,),
        "qformer": (CLASS, SEPARATOR, DECODE),
    }

    def __init__(self, config: InstructBlipConfig, vocabularies: Mapping[str, Vocabulary]) -> None:
        """Look up the tokens that instructions and answers need."""
        self.config, self.words, self.query_words = config, vocabularies["language"], vocabularies["qformer"]
        self.end = self.words.id(END)
        self.ends = (self.end,)
        self.encodes = config.language.kind == "t5"
        self.stop = ""
        self.transform = transform_for(config.vision, config)

    def example(self, sample: Sample) -> Example:
        """Return one turn, drawn; what was said before it is not shown."""
        sample.seen()
        question, answer = sample.draw.choice(sample.turns())
        instruction = _bare(question)
        said = assemble(self.words, (Words(f" {answer.strip()}", answer=True), Mark(self.end, answer=True)))
        if len(said) > self.config.answer_tokens:
            raise Unusable("answer_too_long")
        read = self._read(instruction)
        if self.encodes:
            return Example(read, self._told(instruction), said)
        return Example(Tokens(read.ids + said.ids, read.labels + said.labels), self._told(instruction))

    def asked(self, question: str) -> Example:
        """Return an open instruction.

        Raises:
            TrainError: there is none.
        """
        if not question:
            raise TrainError("give an instruction in words")
        return Example(self._read(question), self._told(question))

    def posed(self, sample: Sample) -> Posed:
        """Have the first question answered."""
        return sample.to_answer()

    @classmethod
    def texts(cls, sample: Sample) -> Iterator[str]:
        """Yield what vocabularies of its own are learned from."""
        for question, answer in sample.turns():
            yield _bare(question)
            yield f" {answer.strip()}"

    def _read(self, instruction: str) -> Tokens:
        """Spell queries and instruction; a decoder's sequence begins with `</s>`, an encoder's ends with it."""
        kept = assemble(self.words, (Words(instruction),)).ids[-(self.config.instruction_tokens - 1) :]
        ids = [*kept, self.end] if self.encodes else [self.end, *kept]
        slots = assemble(self.words, (Slot(self.config.qformer.queries),))
        return Tokens(slots.ids + ids, [UNLABELLED] * (len(slots) + len(ids)))

    def _told(self, instruction: str) -> list[int]:
        words, room = self.query_words, min(self.config.instruction_tokens, self.config.qformer.context) - 2
        kept = words.encode(instruction.lower()).ids[-room:]
        return [words.id(CLASS), *kept, words.id(SEPARATOR)]


def _bare(question: str) -> str:
    return question.replace(PICTURE, "").strip()
