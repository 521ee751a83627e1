"""Our first stage of BLIP-2 against LAVIS's with the same weights and hard negatives: three losses and gradients."""

import pytest
import torch

from curate.train.architectures.blip2_stage1 import Blip2Stage1, Blip2Stage1Config
from curate.train.batch import Batch, Text
from curate.train.negatives import Negatives

from . import lavis_reference as lavis
from . import names, ours
from .reference import assert_same, gradients
from .tiny import SHARED, UNLABELLED

LOSSES = {"loss_itc": "itc", "loss_itm": "itm", "loss_lm": "itg"}
HEADS = ("vision_proj.", "text_proj.", "itm_head.", "temp")


def renamed(tensors):
    heads = {name: tensor for name, tensor in tensors.items() if name.startswith(HEADS)}
    return ours.seeing(tensors) | names.under("head.", names.text_head(tensors)) | heads


@pytest.fixture(scope="module")
def theirs():
    return lavis.stage_one()


@pytest.fixture(scope="module")
def model(theirs):
    model = Blip2Stage1(ours.configured(Blip2Stage1Config, shared=SHARED, **ours.seeing_sizes())).eval()
    model.load_state_dict(renamed(theirs.state))
    return model


def batch_of(given):
    """The batch as `Blip2Stage1Examples` makes it: compared after [CLS], said after [DEC]."""
    ids, seen = given["input_ids"], given["attention_mask"]
    labels = ids.masked_fill(seen == 0, UNLABELLED).index_fill(1, torch.tensor([0]), UNLABELLED)
    told = Text(ids.index_fill(1, torch.tensor([0]), lavis.DEC), torch.full_like(ids, UNLABELLED), seen)
    places = torch.arange(len(ids))
    return Batch(Text(ids, labels, seen), told, None, given["pixel_values"], cached=False, places_B=places)


def losses_of(model, given):
    batch = batch_of(given)
    made = model.represent(batch)
    picks = Negatives(given["image_negatives"], given["text_negatives"])
    sums = made.sums | model.contrast(made.vectors, slice(0, len(batch)))
    return ours.means(model, batch, sums | {"itm": model.matching_loss(batch, batch, picks)})


def test_vectors(model, theirs):
    with torch.no_grad():
        vectors = model.represent(batch_of(theirs.given)).vectors
    shown = {"queries": theirs.outputs["image_shared"], "text": theirs.outputs["text_shared"]}
    assert_same(vectors, shown)


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss(model, theirs, name):
    with torch.no_grad():
        found = losses_of(model, theirs.given)
    assert_same({name: found[LOSSES[name]]}, {name: theirs.losses[name]})


def test_gradients(model, theirs):
    assert_same(gradients(model, losses_of(model, theirs.given)), renamed(theirs.gradients))
