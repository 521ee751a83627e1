"""Our MiniGPT-4 against transformers' towers put together as its paper says: logits, loss, gradients and speech."""

import pytest

from curate.train.architectures.minigpt4 import MiniGpt4, MiniGpt4Config

from . import composed_reference as composed
from . import ours
from .names import part, under
from .tiny import LLAMA


def renamed(tensors):
    return {
        **ours.seeing(tensors),
        **under("projector.", part(tensors, r"llama_proj\.")),
        **under("language.", part(tensors, r"language_model\.")),
    }


@pytest.fixture(scope="module")
def theirs():
    return composed.minigpt4()


@pytest.fixture(scope="module")
def model(theirs):
    model = MiniGpt4(ours.configured(MiniGpt4Config, language=LLAMA, **ours.seeing_sizes())).eval()
    model.load_state_dict(renamed(theirs.state))
    return model


def test_logits(model, theirs):
    ours.assert_logits(model, ours.batch_of(theirs.given), theirs.outputs["logits"])


def test_loss_and_gradients(model, theirs):
    ours.assert_learning(model, ours.batch_of(theirs.given), theirs, renamed)


def test_speech(model, theirs):
    ours.assert_speech(model, theirs)
