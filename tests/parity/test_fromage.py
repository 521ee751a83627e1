"""Our FROMAGe against transformers' CLIP and OPT put together as its paper says, with one place and with four."""

import pytest
import torch

from curate.train.architectures.fromage import Fromage, FromageConfig
from curate.train.batch import Batch, Text
from curate.train.decoder import states

from . import composed_reference as composed
from . import ours
from .names import part, under
from .reference import assert_same, gradients
from .tiny import CLIP, OPT, SHARED, UNLABELLED

LOSSES = {"caption": "caption", "text": "text", "contrast": "retrieval"}
SAME = ("visual_embeddings.", "visual_fc.", "text_fc.", "logit_scale")
TIED = "language.lm_head.weight"
"""OPT's output matrix, which is its embedding."""


def renamed(tensors):
    """Give [RET] its own name: here it is the last row of OPT's embedding, ours is a parameter."""
    language = under("language.", part(tensors, r"lm\."))
    rows = {name: t for name, t in language.items() if name == TIED or name.endswith("embed_tokens.weight")}
    asks = next(iter(rows.values()))[composed.RET :]
    return {
        **under("vision.", part(tensors, r"visual_model\.")),
        **language,
        **{name: table[: composed.RET] for name, table in rows.items()},
        **{name: tensor for name, tensor in tensors.items() if name.startswith(SAME)},
        "ret": asks,
    }


@pytest.fixture(scope="module", params=[1, 4])
def theirs(request):
    return composed.fromage(places=request.param)


@pytest.fixture(scope="module")
def model(theirs):
    language = OPT.model_copy(update={"vocabulary": composed.RET})
    model = Fromage(
        ours.configured(
            FromageConfig, vision=CLIP, language=language, shared_width=SHARED, visual_tokens=theirs.model.places
        )
    ).eval()
    model.load_state_dict(renamed(theirs.state))
    return model


def batch_of(given):
    """The batch as `FromageExamples` makes it: `</s>`, a caption and [RET]."""
    ids, mask = given["retrieval_ids"], given["retrieval_mask"]
    labels = given["retrieval_labels"].index_fill(1, torch.tensor([0]), UNLABELLED)
    pixels, places = given["pixel_values"], torch.arange(len(ids))
    return Batch(Text(ids, labels, mask), None, None, pixels, cached=False, places_B=places)


def losses_of(model, batch):
    return ours.means(model, batch, model(batch))


@torch.no_grad()
def test_logits_after_a_picture(model, theirs):
    batch = batch_of(theirs.given)
    text, order = model.captioned(batch)
    said = model.logits(states(model.language, model.embed(text.ids_BL, model.seen(batch)[order]), text.mask_BL))
    seen, length = text.mask_BL.bool(), text.ids_BL.shape[1]
    assert_same({"logits": said[seen]}, {"logits": theirs.outputs["logits"][:, :length][seen]})


@torch.no_grad()
def test_logits_of_text_alone(model, theirs):
    text = batch_of(theirs.given).text
    none = torch.zeros(0, CLIP.width)
    said = model.logits(states(model.language, model.embed(text.ids_BL, none), text.mask_BL))
    seen = text.mask_BL.bool()
    assert_same({"logits": said[seen]}, {"logits": theirs.outputs["text_logits"][seen]})


@torch.no_grad()
def test_vectors(model, theirs):
    vectors = model.represent(batch_of(theirs.given)).vectors
    assert_same({"images": vectors["image"], "captions": vectors["text"]}, shown(theirs, "images", "captions"))


def shown(theirs, *wanted):
    return {name: theirs.outputs[name] for name in wanted}


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss(model, theirs, name):
    with torch.no_grad():
        found = losses_of(model, batch_of(theirs.given))
    assert_same({name: found[LOSSES[name]]}, {name: theirs.losses[name]})


def test_gradients(model, theirs):
    losses = losses_of(model, batch_of(theirs.given))
    assert_same(gradients(model, losses), renamed(theirs.gradients))


def test_speech(model, theirs):
    assert ours.ENDS[0] not in {token for row in theirs.said for token in row}
    said = [model.converse(ours.batch_of(prompt), ours.HOW)[0].ids for prompt in theirs.asked]
    assert said == theirs.said
