"""FROMAGe: a frozen CLIP and a frozen OPT that learn to speak of pictures and to ask for them.

Koh et al. 2023, arXiv 2301.13823. Where we differ: [RET] is a parameter of its own, so it learns whatever the language
model does; a pair of captions is drawn together pair by pair, not batch by batch; prompts are decoded with a cache.
"""

import math
import random
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn
from torch.nn import functional

from curate.errors import TrainError
from curate.train.architectures.fromage_retrieval import Said, respond
from curate.train.batch import Batch, Text
from curate.train.compare import Comparing, Represented, Vectors
from curate.train.config import Training
from curate.train.decoder import Decoding, splice, states
from curate.train.model import Sums
from curate.train.sizes import Language, Vision
from curate.train.template import IMAGE, UNLABELLED, Tokens
from curate.train.towers.language import blocks, build_language
from curate.train.towers.vision import build_vision, pooled


class FromageConfig(Training):
    """Sizes and recipe of a FROMAGe."""

    PARTS: ClassVar[tuple[str, ...]] = (
        "vision",
        "language",
        "visual_embeddings",
        "visual_fc",
        "text_fc",
        "logit_scale",
        "ret",
    )

    architecture: Literal["fromage"] = "fromage"
    vision: Vision
    language: Language
    visual_tokens: int = Field(1, ge=1, description="places of a picture before its caption")
    shared_width: int = Field(256, ge=1, description="width in which pictures and texts are compared")
    caption_tokens: int = Field(24, ge=3, description="places of a caption, </s> and [RET] included; the rest is cut")
    interleave: float = Field(0.5, ge=0, le=1, description="share of neighbours whose captions are read as one text")
    vision_from: str = Field("", description="folder of CLIP vision weights")
    language_from: str = Field("", description="folder of OPT weights with their tokenizer.json")

    @property
    def ret(self) -> int:
        """The id of [RET]: the row after the language model's own."""
        return self.language.vocabulary

    @property
    def together(self) -> int:
        """How many neighbours of the training order must stay in one micro-batch: a pair that may be joined."""
        return 2 if self.interleave else 1

    @model_validator(mode="after")
    def _keeps_pairs(self) -> Self:
        for name in ("batch_size", "micro_batch"):
            if getattr(self, name) % self.together:
                raise ValueError(f"{name} {getattr(self, name)} parts neighbours that interleave joins: make it even")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        longest = self.together * (self.visual_tokens + self.caption_tokens)
        if longest > self.language.context:
            raise ValueError(f"captions take up to {longest} places, language.context is {self.language.context}")
        return self


class Fromage(Comparing):
    """Captions a picture, finds the picture of a text, and asks for pictures while it speaks.

    With pictures v and captions s, z the two sides' unit vectors and S = exp(logit_scale) <z_v, z_s>:

        L = -mean log p(s_t | v, s_<t) - mean log p(s_t | s_<t) + 1/2 (CE(v -> s; S) + CE(s -> v; S))

    where the second text ends with [RET] and learns to say it. The paper (section 3.2) writes
    lambda_c L_c + lambda_r (L_t2i + L_i2t), both lambdas 1; its code, which we follow, has lambda_c = 1 and
    lambda_r = 1/2, and the second term besides.
    """

    SEES: ClassVar[str] = "pooled"
    WEIGHTS: ClassVar[Mapping[str, float]] = {"caption": 1.0, "text": 1.0, "retrieval": 1.0}

    def __init__(self, config: FromageConfig) -> None:
        """Build with random weights, or without any inside `torch.device("meta")`."""
        super().__init__(config)
        self.config, sees, speaks = config, config.vision.width, config.language.width
        self.vision = build_vision(config.vision, final_norm=True)
        self.language = build_language(config.language)
        self.visual_embeddings = nn.Linear(sees, config.visual_tokens * speaks)
        self.visual_fc = nn.Linear(sees, config.shared_width)
        self.text_fc = nn.Linear(speaks, config.shared_width)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.ret = nn.Parameter(nn.init.normal_(torch.empty(1, speaks), std=0.02))
        self._frozen_norm: torch.Tensor | None = None
        self.freeze()

    def look(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, W]: CLIP's class token after its last norm, before its projection."""
        return pooled(self.vision, pixels_PCSS)

    def embed(self, ids_BL: torch.Tensor, seen_PW: torch.Tensor) -> torch.Tensor:
        """Return [B, L, D]: tokens, [RET] and pictures as the decoder reads them."""
        features_PKD = self.visual_embeddings(seen_PW).unflatten(-1, (self.config.visual_tokens, -1))
        asks_BL = ids_BL == self.config.ret
        embeds_BLD = splice(self.language, ids_BL.masked_fill(asks_BL, 0), features_PKD)
        return torch.where(asks_BL.unsqueeze(-1), self.ret.to(embeds_BLD.dtype), embeds_BLD)

    def logits(self, states_TD: torch.Tensor) -> torch.Tensor:
        """Return [T, V + 1]: the language model's logits, and <h, [RET]> as the head is tied."""
        asks_T1 = functional.linear(states_TD, self.ret.to(states_TD.dtype))
        return torch.cat([self.language.lm_head(states_TD), asks_T1], dim=-1)

    def represent(self, batch: Batch) -> Represented:
        """Return a batch's two sides as unit vectors [B, E], and the sums of both ways to read a caption."""
        seen_PW = self.seen(batch)
        states_BLD = self._read(batch.text, seen_PW[:0])
        vectors = {"image": self.image_vectors(seen_PW), "text": self.text_vectors(states_BLD, batch.text)}
        text, order = self.captioned(batch)
        caption = self._loss_sum(self._read(text, seen_PW[order]), text)
        return Represented(vectors, {"caption": caption, "text": self._loss_sum(states_BLD, batch.text)})

    def contrast(self, vectors: Vectors, own: slice) -> Sums:
        """Return the sum over `own` of half the cross-entropies picture to text and text to picture."""
        image_GE, text_GE = vectors["image"], vectors["text"]
        right = torch.arange(len(image_GE), device=image_GE.device)[own]
        with torch.autocast(image_GE.device.type, enabled=False):  # bfloat16 tells no 14.0 from 14.03
            image_GE = self.logit_scale.exp() * image_GE
            from_image = functional.cross_entropy(image_GE[own] @ text_GE.T, right, reduction="sum")
            from_text = functional.cross_entropy(text_GE[own] @ image_GE.T, right, reduction="sum")
        return {"retrieval": 0.5 * (from_image + from_text)}

    def count(self, batch: Batch) -> dict[str, int]:
        """Return tokens and samples: </s> is said after a picture, [RET] after a text, so both have equally many."""
        labelled = batch.text.labelled
        return {"caption": labelled, "text": labelled, "retrieval": len(batch)}

    def captioned(self, batch: Batch) -> tuple[Text, list[int]]:
        """Return captions after their pictures, some as pairs in one sequence, and the order of the pictures.

        A pair is what section 3.2 calls the augmentation for interleaved input. It is not made in evaluation.
        """
        share = self.config.interleave if self.training else 0.0
        groups = neighbours(batch.places_B.tolist(), share, self.config.seed)
        singles = [self._after_picture(row) for row in _rows(batch.text)]
        text = Text.padded([_chained([singles[row] for row in group]) for group in groups])
        device = batch.places_B.device
        moved = Text(text.ids_BL.to(device), text.labels_BL.to(device), text.mask_BL.to(device))
        return moved, [row for group in groups for row in group]

    def image_vectors(self, seen_PW: torch.Tensor) -> torch.Tensor:
        """Return float32[P, E], of length 1."""
        return functional.normalize(self.visual_fc(seen_PW).float(), dim=-1)

    def text_vectors(self, states_BLD: torch.Tensor, text: Text) -> torch.Tensor:
        """Return float32[R, E], of length 1: one for each [RET], in reading order."""
        return self.retrieving(states_BLD[text.ids_BL == self.config.ret])

    def retrieving(self, states_RD: torch.Tensor) -> torch.Tensor:
        """Return float32[R, E], of length 1, of the last hidden states at [RET]."""
        return functional.normalize(self.text_fc(states_RD).float(), dim=-1)

    @torch.inference_mode()
    def embed_images(self, batch: Batch) -> torch.Tensor:
        """Return float32[P, E], of length 1: what a gallery holds of pictures."""
        return self.image_vectors(self.seen(batch))

    @torch.inference_mode()
    def embed_texts(self, batch: Batch) -> torch.Tensor:
        """Return float32[B, E], of length 1, of texts that end with [RET]; pictures may stand between their words."""
        return self.text_vectors(self._read(batch.text, self._shown(batch)), batch.text)

    def generate(self, batch: Batch, how: Decoding) -> list[list[int]]:
        """Return the tokens that follow each prompt, up to an end or to [RET].

        Raises:
            TrainError: beams are asked for.
        """
        return [said.ids for said in self.converse(batch, how, stops=(self.config.ret,))]

    @torch.inference_mode()
    def converse(
        self, batch: Batch, how: Decoding, *, ret_scale: float = 1.0, stops: tuple[int, ...] = ()
    ) -> list[Said]:
        """Return what follows each prompt, with a vector to search a gallery by wherever it says [RET].

        [RET]'s logit is multiplied by `ret_scale` (ret_scale_factor of the paper's code): 0 hardly ever says it.

        Raises:
            TrainError: beams are asked for.
        """
        if how.beams != 1:
            raise TrainError("FROMAGe answers greedily: ask for 1 beam")
        embeds_BLD = self.embed(batch.text.ids_BL, self._shown(batch))
        rows = [row[mask > 0] for row, mask in zip(embeds_BLD, batch.text.mask_BL, strict=True)]
        return respond(self, rows, (*how.ends, *stops), how.max_new_tokens, ret_scale)

    @torch.no_grad()
    def after_step(self) -> None:
        """Give [RET] the mean length of the language model's own rows, as the paper's code does."""
        if "ret" in self.training_config.trainable:
            self.ret.mul_(self._mean_norm() / self.ret.norm())

    def blocks(self) -> Sequence[nn.Module]:
        """Return the decoder's layers."""
        return blocks(self.language)

    def _mean_norm(self) -> torch.Tensor:
        """Compute it once where it stays: a pass over 50,266 rows of 4096 takes as long as a small step."""
        if self._frozen_norm is None or "language" in self.training_config.trainable:
            self._frozen_norm = self.language.get_input_embeddings().weight.float().norm(dim=1).mean()
        return self._frozen_norm

    def _shown(self, batch: Batch) -> torch.Tensor:
        """Return what is seen of the pictures that stand in a text; a training sample's picture does not."""
        if bool((batch.text.ids_BL == IMAGE).any()):
            return self.seen(batch)
        return batch.pictures.new_zeros(0, self.config.vision.width)

    def _read(self, text: Text, seen_PW: torch.Tensor) -> torch.Tensor:
        return states(self.language, self.embed(text.ids_BL, seen_PW), text.mask_BL)

    def _loss_sum(self, states_BLD: torch.Tensor, text: Text) -> torch.Tensor:
        targets_BL = text.labels_BL[:, 1:]
        labelled = targets_BL != UNLABELLED
        logits_TV = self.logits(states_BLD[:, :-1][labelled])
        return functional.cross_entropy(logits_TV.float(), targets_BL[labelled], reduction="sum")

    def _after_picture(self, ids: Sequence[int]) -> Tokens:
        said = [token for token in ids if token != self.config.ret]
        places = self.config.visual_tokens
        return Tokens([IMAGE] * places + said, [UNLABELLED] * places + said)


def neighbours(places: Sequence[int], share: float, seed: int) -> list[list[int]]:
    """Group rows: places 2n and 2n + 1 of the training order where a draw joins them, the others alone."""
    rows = {place: row for row, place in enumerate(places)}
    groups = []
    for place, row in rows.items():
        even = place - place % 2
        joined = even in rows and even + 1 in rows and random.Random(f"{seed},interleave,{even}").random() < share
        if place == even and joined:
            groups.append([row, rows[even + 1]])
        elif not joined:
            groups.append([row])
    return groups


def _rows(text: Text) -> list[list[int]]:
    return [row[mask > 0].tolist() for row, mask in zip(text.ids_BL.cpu(), text.mask_BL.cpu(), strict=True)]


def _chained(texts: Sequence[Tokens]) -> Tokens:
    return Tokens([token for text in texts for token in text.ids], [label for text in texts for label in text.labels])
