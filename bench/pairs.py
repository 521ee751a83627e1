"""The same training step twice: ours, and that of transformers' class with the same weights, batch and optimizer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from curate.train.batch import Batch, Text
from curate.train.exporting import converted
from curate.train.learner import Learner, build, settled
from curate.train.loop import train_step
from curate.train.presets import configure
from curate.train.ranks import Ranks
from curate.train.sharding import Placement
from curate.train.step import Work
from curate.train.template import IMAGE, UNLABELLED, Tokens
from curate.train.vocabulary import learn

RATE = 1e-4
NORM_EPSILON = 1e-5
"""Of LAVIS, which trained the published weights, before the Q-Former; transformers has 1e-6."""
FIRST_WORD = 1000
TEXTS = (24, 120)
"""Tokens of the shortest text of a batch and of the longest: conversations of one turn."""
ASKED = 12
"""Tokens at a text's beginning that carry no label."""


@dataclass(frozen=True)
class Pair:
    """One step of each side on one batch; each call learns, and returns the mean loss before it."""

    ours: Callable[[], float]
    theirs: Callable[[], float]
    samples: int
    tokens: int
    """Places of the language model that are not padding, pictures included."""


def pair(preset: str, sizes: Mapping[str, str]) -> Pair:
    """Build both sides with the weights of one seed."""
    config = configure(preset, {"batch_size": "8", "warmup_steps": "0", **sizes})
    model = build(config)
    theirs, _ = converted(model, learn(["a"], 300, ["<s>", "</s>"]))
    theirs = _own_copy(theirs, config.trainable)
    learner = settled(model, {}, Placement())
    batch = _batch(config)
    given = _given(batch, theirs.config.image_token_id)
    steps = _Steps(learner, batch, theirs, given, _adamw(theirs, config))
    read = int(batch.text.mask_BL.sum()) + (0 if batch.answer is None else int(batch.answer.mask_BL.sum()))
    return Pair(steps.ours, steps.theirs, len(batch), read)


@dataclass
class _Steps:
    learner: Learner
    batch: Batch
    model: Any
    given: dict[str, torch.Tensor]
    optimizer: torch.optim.Optimizer

    def ours(self) -> float:
        learned = train_step(self.learner, Work([self.batch], self.learner.step, Ranks()), RATE)
        self.learner.step += 1
        return learned.means["tokens"]

    def theirs(self) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.model(**self.given).loss
        loss.backward()
        learns = [p for p in self.model.parameters() if p.requires_grad]
        nn.utils.clip_grad_norm_(learns, self.learner.model.training_config.clip_norm)
        self.optimizer.step()
        return float(loss.detach())


def _own_copy(theirs: Any, trainable: tuple[str, ...]) -> Any:
    """Give transformers' model tensors of its own, and freeze what ours freezes."""
    for parameter in theirs.parameters():
        parameter.data = parameter.data.clone()
    for name, constant in type(theirs)(theirs.config).named_buffers():  # no checkpoint holds these
        owner, _, own = name.rpartition(".")
        setattr(theirs.get_submodule(owner), own, constant)
    for name, part in _parts(theirs).items():
        part.requires_grad_(name in trainable)
    if getattr(theirs, "query_tokens", None) is not None:
        theirs.query_tokens.requires_grad_("qformer" in trainable)
        theirs.vision_model.post_layernorm.eps = NORM_EPSILON
    theirs.config.get_text_config().use_cache = False  # a cache that no training reads
    return theirs.train()


def _parts(theirs: Any) -> dict[str, nn.Module]:
    if hasattr(theirs, "qformer"):
        return {
            "vision": theirs.vision_model, "norm": theirs.vision_model.post_layernorm, "qformer": theirs.qformer,
            "projector": theirs.language_projection, "language": theirs.language_model,
        }  # fmt: skip
    body = theirs.model
    whole = nn.ModuleList([body.language_model, theirs.lm_head])
    return {"vision": body.vision_tower, "projector": body.multi_modal_projector, "language": whole}


def _adamw(theirs: nn.Module, config: Any) -> torch.optim.Optimizer:
    learns = [p for p in theirs.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learns if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in learns if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=RATE, betas=(config.beta1, config.beta2))


def _batch(config: Any) -> Batch:
    """Return texts of evenly spread lengths after a picture each; what is asked carries no label."""
    draw = torch.Generator().manual_seed(1)
    size, side = config.batch_size, config.vision.image_size
    slot = config.qformer.queries if hasattr(config, "qformer") else config.vision.patches
    lengths = torch.linspace(*TEXTS, size).int().tolist()
    texts = [torch.randint(FIRST_WORD, config.language.vocabulary, (n,), generator=draw).tolist() for n in lengths]
    pictures = torch.randn(size, 3, side, side, generator=draw)
    told = answer = None
    if hasattr(config, "instruction_tokens"):
        most = config.qformer.vocabulary
        asked = [torch.randint(FIRST_WORD, most, (n // 2,), generator=draw).tolist() for n in lengths]
        told = Text.padded([Tokens(row, [UNLABELLED] * len(row)) for row in asked])
    if config.language.kind == "t5":
        answer = Text.padded([Tokens(row[ASKED:], row[ASKED:]) for row in texts])
        rows = [Tokens([IMAGE] * slot + row[:ASKED], [UNLABELLED] * (slot + ASKED)) for row in texts]
    else:
        rows = [Tokens([IMAGE] * slot + row, [UNLABELLED] * (slot + ASKED) + row[ASKED:]) for row in texts]
    return Batch(Text.padded(rows), told, answer, pictures, cached=False, places_B=torch.arange(size))


def _given(batch: Batch, image: int) -> dict[str, torch.Tensor]:
    """Return a batch by transformers' names."""
    text = batch.text
    ids = text.ids_BL.masked_fill(text.ids_BL == IMAGE, image)
    given = {"pixel_values": batch.pictures, "input_ids": ids, "attention_mask": text.mask_BL, "labels": text.labels_BL}
    if batch.told is not None:
        given |= {"qformer_input_ids": batch.told.ids_BL, "qformer_attention_mask": batch.told.mask_BL}
    if batch.answer is not None:
        given |= {"labels": batch.answer.labels_BL, "decoder_attention_mask": batch.answer.mask_BL}
    return given
