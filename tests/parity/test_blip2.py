"""Our BLIP-2 with OPT and T5, and its matching, against transformers' with the same weights."""

import pytest
import torch

from curate.train.architectures.blip2 import Blip2, Blip2Config
from curate.train.architectures.blip2_stage1 import Blip2Stage1, Blip2Stage1Config

from . import hf_reference as hf
from . import lavis_reference as lavis
from . import ours, tiny
from .names import part
from .reference import assert_same, gradients
from .tiny import SHARED

KINDS = {"opt": (hf.blip2_opt, tiny.OPT), "t5": (hf.blip2_t5, tiny.T5)}
HEADS = {"vision_projection": "vision_proj", "text_projection": "text_proj", "itm_head": "itm_head"}
LAVIS_ALONE = ("head.", "temp")
"""Parts of the first stage that transformers has not."""


@pytest.fixture(scope="module", params=KINDS)
def pair(request):
    build, language = KINDS[request.param]
    theirs = build()
    model = Blip2(ours.configured(Blip2Config, language=language, **ours.seeing_sizes())).eval()
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


def renamed_heads(tensors):
    heads = {f"{mine}.{name}": t for start, mine in HEADS.items() for name, t in part(tensors, rf"{start}\.").items()}
    return ours.seeing(tensors) | heads


def test_matching():
    theirs = hf.blip2_itm(lavis.stage_one_batch())
    model = Blip2Stage1(ours.configured(Blip2Stage1Config, shared=SHARED, **ours.seeing_sizes())).eval()
    missing, unexpected = model.load_state_dict(renamed_heads(theirs.state), strict=False)
    assert not unexpected
    assert all(name.startswith(LAVIS_ALONE) for name in missing)
    image = model.norm(model.look(theirs.given["pixel_values"]))
    logits = model.matching_logits(image, theirs.given["input_ids"], theirs.given["attention_mask"])
    loss = torch.nn.functional.cross_entropy(logits, torch.ones(len(logits), dtype=torch.long))
    assert_same({"itm": logits.detach()}, theirs.outputs)
    assert_same({"itm": loss}, theirs.losses)
    assert_same(gradients(model, {"itm": loss}), renamed_heads(theirs.gradients))
