"""Our LLaVA and LLaVA-1.5 against transformers' with the same weights: logits, loss, gradients and speech."""

import pytest
import torch

from curate.train.architectures.llava import Llava, LlavaConfig
from curate.train.batch import Batch, Text
from curate.train.decoder import Decoding, states
from curate.train.template import IMAGE

from .hf_reference import llava
from .reference import NEW_TOKENS, assert_same, gradients
from .tiny import CLIP, IMAGE_TOKEN, LLAMA

ENDS = (1,)
"""A token that no reference says, so that nothing ends an answer."""
PARTS = {
    "model.vision_tower.": "vision.",
    "model.multi_modal_projector.linear_1.": "projector.0.",
    "model.multi_modal_projector.linear_2.": "projector.2.",
    "model.multi_modal_projector.": "projector.",
    "model.language_model.": "language.model.",
    "lm_head.": "language.lm_head.",
}


def ours(name: str) -> str:
    """Our name for one of transformers' weights."""
    start = next(part for part in PARTS if name.startswith(part))
    return PARTS[start] + name.removeprefix(start)


def batch_of(given) -> Batch:
    ids = given["input_ids"].masked_fill(given["input_ids"] == IMAGE_TOKEN, IMAGE)
    labels = given.get("labels", torch.full_like(ids, -100))
    text = Text(ids, labels, given["attention_mask"])
    return Batch(text, None, None, given["pixel_values"], cached=False, places_B=torch.arange(len(ids)))


@pytest.fixture(scope="module", params=["linear", "mlp2x_gelu"])
def reference(request):
    return request.param, llava(request.param)


@pytest.fixture(scope="module")
def model(reference):
    projector, theirs = reference
    config = LlavaConfig(
        preset="parity", vision=CLIP, language=LLAMA, projector=projector, trainable=LlavaConfig.PARTS,
        steps=1, batch_size=1, learning_rate=1, warmup_steps=0, beta2=0.99, weight_decay=0, checkpoint_every=1,
    )  # fmt: skip
    model = Llava(config).eval()
    model.load_state_dict({ours(name): tensor for name, tensor in theirs.state.items()})
    return model


@torch.no_grad()
def test_logits(model, reference):
    batch = batch_of(reference[1].given)
    logits = model.language.lm_head(states(model.language, model.embed(batch), batch.text.mask_BL))
    seen = batch.text.mask_BL.bool()
    torch.testing.assert_close(logits[seen], reference[1].outputs["logits"][seen], atol=1e-5, rtol=1e-5)


def test_loss_and_gradients(model, reference):
    theirs = reference[1]
    batch = batch_of(theirs.given)
    losses = {name: total / model.count(batch)[name] for name, total in model(batch).items()}
    assert_same(losses, theirs.losses)
    assert_same(gradients(model, losses), {ours(name): gradient for name, gradient in theirs.gradients.items()})


def test_speech(model, reference):
    theirs = reference[1]
    assert ENDS[0] not in {token for row in theirs.said for token in row}
    how = Decoding(max_new_tokens=NEW_TOKENS, ends=ENDS)
    assert [model.generate(batch_of(prompt), how)[0] for prompt in theirs.asked] == theirs.said
