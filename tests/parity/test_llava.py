"""Our LLaVA and LLaVA-1.5 against transformers' with the same weights: logits, loss, gradients and speech."""

import pytest

from curate.train.architectures.llava import Llava, LlavaConfig

from . import ours
from .hf_reference import llava
from .tiny import CLIP, LLAMA

PARTS = {
    "model.vision_tower.": "vision.",
    "model.multi_modal_projector.linear_1.": "projector.0.",
    "model.multi_modal_projector.linear_2.": "projector.2.",
    "model.multi_modal_projector.": "projector.",
    "model.language_model.": "language.model.",
    "lm_head.": "language.lm_head.",
}


def renamed(tensors):
    return {our_name(name): tensor for name, tensor in tensors.items()}


def our_name(name):
    start = next(part for part in PARTS if name.startswith(part))
    return PARTS[start] + name.removeprefix(start)


@pytest.fixture(scope="module", params=["linear", "mlp2x_gelu"])
def pair(request):
    theirs = llava(request.param)
    model = Llava(ours.configured(LlavaConfig, vision=CLIP, language=LLAMA, projector=request.param)).eval()
    model.load_state_dict(renamed(theirs.state))
    return theirs, model


def test_logits(pair):
    theirs, model = pair
    ours.assert_logits(model, ours.batch_of(theirs.given), theirs.outputs["logits"])


def test_loss_and_gradients(pair):
    theirs, model = pair
    ours.assert_learning(model, ours.batch_of(theirs.given), theirs, renamed)


def test_speech(pair):
    theirs, model = pair
    ours.assert_speech(model, theirs)
