"""BLIP-2's first stage: a Q-Former learns what of a picture is worth telling.

Li et al. 2023, arXiv 2301.12597, section 3.1:

    L = L_itc + L_itm + L_itg

ITC compares the best of a picture's queries with the text's [CLS]; ITM tells true pairs from the hardest false ones;
ITG says the caption with the queries alone as a witness. Where we differ from the paper's code: gradients flow to
every process's samples, not only to a process's own, so the gradient does not depend on how many there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn
from torch.nn import functional

from curate.errors import TrainError
from curate.train.architectures.blip2 import NORM_EPSILON
from curate.train.batch import Batch, Example, Text
from curate.train.caption import cleaned
from curate.train.compare import Comparing, Everyone, Represented, Vectors
from curate.train.config import Training
from curate.train.model import Sums
from curate.train.negatives import Negatives, draw_negatives
from curate.train.samples import Posed, Sample
from curate.train.sizes import QFormer, Vision
from curate.train.template import UNLABELLED, Tokens
from curate.train.towers import qformer
from curate.train.towers.vision import all_states, build_vision, transform_for
from curate.train.vocabulary import CLASS, DECODE, SEPARATOR, Vocabulary

TEMPERATURE = 0.07
SMOOTHING = 0.1
MATCHED = 1


class Blip2Stage1Config(Training):
    """Sizes and recipe of BLIP-2's first stage."""

    PARTS: ClassVar[tuple[str, ...]] = (
        "vision", "norm", "qformer", "head", "vision_proj", "text_proj", "itm_head", "temp",
    )  # fmt: skip

    architecture: Literal["blip2_stage1"] = "blip2_stage1"
    vision: Vision
    qformer: QFormer
    shared: int = Field(256, ge=1, description="width of the space that pictures and texts are compared in")
    text_tokens: int = Field(32, ge=3, description="of a caption, at most; the rest is cut off")
    captions: int = Field(2, ge=1, description="best captions of a sample, of which one is drawn each time")
    vision_from: str = Field("", description="folder of vision weights")
    qformer_from: str = Field("", description="folder of BERT's weights in a Q-Former's names, with its tokenizer.json")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.text_tokens > self.qformer.context:
            raise ValueError(
                f"captions take up to {self.text_tokens} places, qformer.context is {self.qformer.context}"
            )
        return self


class Blip2Stage1(Comparing):
    """Compares, matches and describes pictures and texts."""

    SEES: ClassVar[str] = "states"
    WEIGHTS: ClassVar[Mapping[str, float]] = {"itc": 1.0, "itm": 1.0, "itg": 1.0}
    MATCHES: ClassVar[bool] = True

    def __init__(self, config: Blip2Stage1Config) -> None:
        """Build with random weights, or without any inside `torch.device("meta")`."""
        super().__init__(config)
        width = config.qformer.width
        self.vision = build_vision(config.vision)
        self.norm = nn.LayerNorm(config.vision.width, eps=NORM_EPSILON)
        self.qformer = qformer.QFormer(config.qformer, config.vision.width, text=True)
        self.head = qformer.TextHead(config.qformer)
        self.vision_proj = nn.Linear(width, config.shared)
        self.text_proj = nn.Linear(width, config.shared)
        self.itm_head = nn.Linear(width, 2)
        self.temp = nn.Parameter(torch.tensor(TEMPERATURE))
        self.freeze()

    def blocks(self) -> Sequence[nn.Module]:
        """Return the Q-Former's layers."""
        return list(self.qformer.layers)

    def look(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, M, W]."""
        return all_states(self.vision, pixels_PCSS)

    def count(self, batch: Batch) -> dict[str, int]:
        """Return samples compared, pairs matched (one true, two false for each sample), and tokens said."""
        return {"itc": len(batch), "itm": 3 * len(batch), "itg": batch.text.labelled}

    def represent(self, batch: Batch) -> Represented:
        """Return unit vectors of queries [B, Q, E] and texts [B, E], and the loss of saying the captions."""
        states_BQH, kept = self.qformer.look_and_keep(self.norm(self.seen(batch)))
        vectors = {"queries": self._queries(states_BQH), "text": self.represent_text(batch.text)}
        return Represented(vectors, {"itg": self._say(kept, batch)})

    def represent_text(self, text: Text) -> torch.Tensor:
        """Return [B, E]: unit vectors of texts, from their [CLS]."""
        read_BLH = self.qformer.read(text.ids_BL, text.mask_BL)
        return functional.normalize(self.text_proj(read_BLH[:, 0]), dim=-1)

    def represent_pictures(self, batch: Batch) -> torch.Tensor:
        """Return [B, Q, E]: unit vectors of the queries."""
        return self._queries(self.qformer.look(self.norm(self.seen(batch))))

    def contrast(self, vectors: Vectors, own: slice) -> Sums:
        """ITC: half the sum of both directions' cross-entropies, smoothed, over all samples of the step.

        s(i, t) = max over queries q of <z_q, z_t> / temp
        """
        to_text = similarity(vectors["queries"][own], vectors["text"]) / self.temp
        to_picture = similarity(vectors["queries"], vectors["text"][own]).T / self.temp
        targets = torch.arange(own.start, own.stop, device=to_text.device)
        losses = [
            functional.cross_entropy(scores.float(), targets, reduction="sum", label_smoothing=SMOOTHING)
            for scores in (to_text, to_picture)
        ]
        return {"itc": (losses[0] + losses[1]) / 2}

    def match(self, batch: Batch, everyone: Everyone) -> Sums:
        """ITM: the cross-entropy of true pairs, and of a hard false picture and a hard false text for each.

        A sample that is alone in its step has no false partner, and no loss.
        """
        rows_B = (batch.places_B[:, None] == everyone.batch.places_B[None]).long().argmax(1)
        queries, text = everyone.vectors["queries"], everyone.vectors["text"]
        if len(text) == 1:
            return {"itm": queries.sum() * 0}
        picks = draw_negatives(
            similarity(queries[rows_B], text) / self.temp.detach(),
            similarity(queries, text[rows_B]).T / self.temp.detach(),
            rows_B,
            [f"{self.training_config.seed},{place}" for place in batch.places_B.tolist()],
        )
        return {"itm": self.matching_loss(batch, everyone.batch, picks)}

    def matching_loss(self, batch: Batch, others: Batch, picks: Negatives) -> torch.Tensor:
        """Return the summed cross-entropy of 3 B pairs, true ones first."""
        own_BMW, false_BMW = self.seen(batch), self._seen_of(others, picks.pictures_B)
        false = Text(*(t[picks.texts_B] for t in (others.text.ids_BL, others.text.labels_BL, others.text.mask_BL)))
        length = others.text.ids_BL.shape[1]
        ids = functional.pad(batch.text.ids_BL, (0, length - batch.text.ids_BL.shape[1]))
        mask = functional.pad(batch.text.mask_BL, (0, length - batch.text.mask_BL.shape[1]))
        logits = self.matching_logits(
            self.norm(torch.cat([own_BMW, false_BMW, own_BMW])),
            torch.cat([ids, ids, false.ids_BL]),
            torch.cat([mask, mask, false.mask_BL]),
        )
        labels = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
        labels[: len(batch)] = MATCHED
        return functional.cross_entropy(logits.float(), labels, reduction="sum")

    def embed_images(self, batch: Batch) -> torch.Tensor:
        """Return [P, Q, E]: unit vectors of pictures, of which the best counts."""
        return self.represent_pictures(batch)

    def embed_texts(self, batch: Batch) -> torch.Tensor:
        """Return [B, E]: unit vectors of texts."""
        return self.represent_text(batch.text)

    def match_logits(self, seen_BMW: torch.Tensor, text: Text) -> torch.Tensor:
        """Return [B]: the logit that picture and text are a true pair, by which the paper re-ranks (section 4.4)."""
        return self.matching_logits(self.norm(seen_BMW), text.ids_BL, text.mask_BL)[:, MATCHED]

    def matching_logits(self, normed_BMW: torch.Tensor, ids_BL: torch.Tensor, mask_BL: torch.Tensor) -> torch.Tensor:
        """Return [B, 2]: logits of false and true pairs, the mean over queries that saw the text."""
        states = self.qformer.both(normed_BMW, ids_BL, mask_BL)
        return self.itm_head(states[:, : self.qformer.queries.shape[1]]).mean(1)

    def _queries(self, states_BQH: torch.Tensor) -> torch.Tensor:
        return functional.normalize(self.vision_proj(states_BQH), dim=-1)

    def _say(self, kept: list[qformer.KeysValues], batch: Batch) -> torch.Tensor:
        """ITG: the summed cross-entropy of captions, smoothed; each place of `told` ([DEC], caption) says the next."""
        if batch.told is None or self.qformer.words is None:
            raise ValueError("no text that begins with [DEC]")
        states_BLH = self.qformer.say(kept, batch.told.ids_BL, batch.told.mask_BL)[:, :-1]
        labels_BL = batch.text.labels_BL[:, 1:]
        labelled = labels_BL != UNLABELLED
        logits_TV = self.head(states_BLH[labelled], self.qformer.words)
        return functional.cross_entropy(
            logits_TV.float(), labels_BL[labelled], reduction="sum", label_smoothing=SMOOTHING
        )

    def _seen_of(self, others: Batch, picks_B: torch.Tensor) -> torch.Tensor:
        pictures = others.pictures[picks_B]
        return pictures if others.cached else self.look(pictures)


def similarity(queries_AQE: torch.Tensor, text_BE: torch.Tensor) -> torch.Tensor:
    """Return [A, B]: the best of a picture's queries for each text."""
    with torch.autocast(queries_AQE.device.type, enabled=False):  # over 0.07, bfloat16 tells no 14.0 from 14.03
        return torch.einsum("aqe,be->abq", queries_AQE.float(), text_BE.float()).amax(-1)


class Blip2Stage1Examples:
    """Captions in BERT's words."""

    VOCABULARIES: ClassVar[Mapping[str, tuple[str, ...]]] = {"qformer": (CLASS, SEPARATOR, DECODE)}

    def __init__(self, config: Blip2Stage1Config, vocabularies: Mapping[str, Vocabulary]) -> None:
        """Look up the tokens that captions begin and end with."""
        self.config, self.words = config, vocabularies["qformer"]
        self.class_id, self.decode_id = self.words.id(CLASS), self.words.id(DECODE)
        self.end = self.words.id(SEPARATOR)
        self.ends = (self.end,)
        self.stop = ""
        self.transform = transform_for(config.vision, config)

    def example(self, sample: Sample) -> Example:
        """Return one of the best captions, to be compared and to be said."""
        sample.seen()
        return self.captioned(sample.draw.choice(sample.captions()[: self.config.captions]))

    def captioned(self, caption: str) -> Example:
        """Return a caption as numbers."""
        room = self.config.text_tokens - 2
        said = [*self.words.encode(cleaned(caption)).ids[:room], self.end]
        return Example(Tokens([self.class_id, *said], [UNLABELLED, *said]), told=[self.decode_id, *said])

    def asked(self, question: str) -> Example:  # noqa: ARG002 - it answers none
        """Refuse: this stage answers nothing.

        Raises:
            TrainError: always.
        """
        raise TrainError(f"{self.config.preset} compares pictures and texts and answers nothing. Use `curate retrieve`")

    def posed(self, sample: Sample) -> Posed:
        """Measure it by its captions."""
        return sample.to_caption()

    @classmethod
    def texts(cls, sample: Sample) -> Iterator[str]:
        """Yield what a vocabulary of its own is learned from."""
        yield from (cleaned(caption) for caption in sample.captions())
