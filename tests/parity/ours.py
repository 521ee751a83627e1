"""What every comparison of one of our models does: the batch by our names, losses as means, and speech."""

from typing import Any

import torch

from curate.train import decoder, encoder_decoder
from curate.train.batch import Batch, Text
from curate.train.config import Training
from curate.train.decoder import Decoding
from curate.train.model import Architecture
from curate.train.prompted import Prompted
from curate.train.template import IMAGE

from . import names
from .reference import NEW_TOKENS, Reference, Tensors, assert_same, gradients
from .tiny import EVA, IMAGE_TOKEN, PAD, QFORMER, UNLABELLED

ENDS = (1,)
"""A token that no reference says, so that nothing ends an answer."""
HOW = Decoding(max_new_tokens=NEW_TOKENS, ends=ENDS)


def configured(kind: type[Training], **sizes: Any) -> Any:
    """Return settings of which only sizes matter here; every part learns, so that every gradient is compared."""
    return kind(
        preset="parity", trainable=kind.PARTS, steps=1, batch_size=2, learning_rate=1, warmup_steps=0, beta2=0.99,
        weight_decay=0, checkpoint_every=1, **sizes,
    )  # fmt: skip


def batch_of(given: Tensors, *, encodes: bool = False) -> Batch:
    """Return a reference's batch; where there is an encoder, it reads the ids and the decoder says the labels."""
    ids = given["input_ids"].masked_fill(given["input_ids"] == IMAGE_TOKEN, IMAGE)
    unlabelled = torch.full_like(ids, UNLABELLED)
    labels = given.get("labels", unlabelled)
    text = Text(ids, unlabelled if encodes else labels, given["attention_mask"])
    told = _told(given) if "qformer_input_ids" in given else None
    answer = _answer(labels) if encodes and "labels" in given else None
    return Batch(text, told, answer, given["pixel_values"], cached=False, places_B=torch.arange(len(ids)))


def _told(given: Tensors) -> Text:
    ids = given["qformer_input_ids"]
    return Text(ids, torch.full_like(ids, UNLABELLED), given["qformer_attention_mask"])


def _answer(labels: torch.Tensor) -> Text:
    seen = labels != UNLABELLED
    return Text(labels.masked_fill(~seen, PAD), labels, seen.long())


def seeing(tensors: Tensors) -> Tensors:
    """Return by our names what BLIP-2's children share: tower, norm and Q-Former."""
    return {
        **names.under("vision.", names.eva(tensors)),
        **names.under("norm.", names.ln_vision(tensors)),
        **names.under("qformer.", names.qformer(tensors)),
    }


def prompting(tensors):
    """Name weights or gradients of transformers' BLIP-2 and InstructBLIP as ours."""
    return {
        **seeing(tensors),
        **names.under("projector.", names.part(tensors, r"language_projection\.")),
        **names.under("language.", names.part(tensors, r"language_model\.")),
    }


def seeing_sizes() -> dict[str, Any]:
    return {"vision": EVA, "qformer": QFORMER}


def means(model: Architecture, batch: Batch, sums: Tensors) -> Tensors:
    """Return losses as references form them."""
    counts = model.count(batch)
    return {name: total / counts[name] for name, total in sums.items()}


@torch.no_grad()
def assert_logits(model: Prompted, batch: Batch, theirs: torch.Tensor) -> None:
    """Compare logits wherever there is a token."""
    if batch.answer is None:
        said, seen = decoder.states(model.language, model.embed(batch), batch.text.mask_BL), batch.text.mask_BL
    else:
        said = encoder_decoder.states(model.language, model.embed(batch), batch.text, batch.answer)
        seen = batch.answer.mask_BL
    places = seen.bool()
    assert_same({"logits": model.language.lm_head(said)[places]}, {"logits": theirs[places]})


def assert_learning(model: Architecture, batch: Batch, theirs: Reference, renamed: Any) -> None:
    """Compare losses, and the gradient of every weight by `renamed`, a function from their names to ours."""
    losses = means(model, batch, model(batch))
    assert_same(losses, theirs.losses)
    assert_same(gradients(model, losses), renamed(theirs.gradients))


def assert_speech(model: Prompted, theirs: Reference, *, encodes: bool = False) -> None:
    """Compare what greedy decoding says, token by token."""
    assert ENDS[0] not in {token for row in theirs.said for token in row}
    assert [model.generate(batch_of(prompt, encodes=encodes), HOW)[0] for prompt in theirs.asked] == theirs.said
