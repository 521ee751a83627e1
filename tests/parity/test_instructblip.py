"""Our InstructBLIP with Llama and T5 against transformers' with the same weights: logits, loss, gradients, speech."""

import pytest

from curate.train.architectures.instructblip import InstructBlip, InstructBlipConfig

from . import hf_reference as hf
from . import ours, tiny

KINDS = {"llama": (hf.instructblip_llama, tiny.LLAMA), "t5": (hf.instructblip_t5, tiny.T5)}


@pytest.fixture(scope="module", params=KINDS)
def pair(request):
    build, language = KINDS[request.param]
    theirs = build()
    model = InstructBlip(ours.configured(InstructBlipConfig, language=language, **ours.seeing_sizes())).eval()
    model.load_state_dict(ours.prompting(theirs.state))
    return request.param == "t5", theirs, model


def test_logits(pair):
    encodes, theirs, model = pair
    ours.assert_logits(model, ours.batch_of(theirs.given, encodes=encodes), theirs.outputs["logits"])


def test_loss_and_gradients(pair):
    encodes, theirs, model = pair
    ours.assert_learning(model, ours.batch_of(theirs.given, encodes=encodes), theirs, ours.prompting)


def test_speech(pair):
    encodes, theirs, model = pair
    ours.assert_speech(model, theirs, encodes=encodes)
