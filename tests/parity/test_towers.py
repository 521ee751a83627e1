"""Our EVA tower and Q-Former against LAVIS's and transformers': what they say, and gradients."""

import pytest
import torch
from torch import nn

from curate.train.towers.eva import EvaVit
from curate.train.towers.qformer import QFormer, TextHead

from . import hf_reference as hf
from . import lavis_reference as lavis
from . import names
from .reference import assert_same, gradients
from .tiny import EVA, QFORMER


class Parts(nn.Module):
    """Our parts of the first stage, put together as far as `lavis.paths` needs."""

    def __init__(self, state, *, text: bool = True) -> None:
        super().__init__()
        self.vision, self.norm = EvaVit(EVA), nn.LayerNorm(EVA.width, eps=hf.LN_VISION_EPSILON)
        self.qformer = QFormer(QFORMER, EVA.width, text=text)
        self.head = TextHead(QFORMER) if text else None
        self.load_state_dict(renamed(state))
        self.eval()

    def paths(self, given):
        """What the Q-Former says, by the names of `lavis.paths`."""
        ids, seen = given["input_ids"], given["attention_mask"]
        image = self.norm(self.vision(given["pixel_values"]))
        queries, kept = self.qformer.look_and_keep(image)
        begun = torch.cat([torch.full_like(ids[:, :1], lavis.DEC), ids[:, 1:]], dim=1)
        caption = self.head(self.qformer.say(kept, begun, seen), self.qformer.words)
        text, both = self.qformer.read(ids, seen), self.qformer.both(image, ids, seen)
        return {"image": image, "queries": queries, "text": text, "both": both, "caption": caption}


def renamed(tensors):
    parts = {
        "vision.": names.eva, "norm.": names.ln_vision, "qformer.": names.qformer, "head.": names.text_head,
    }  # fmt: skip
    return {name: t for prefix, pick in parts.items() for name, t in names.under(prefix, pick(tensors)).items()}


@pytest.fixture(scope="module")
def stage_one():
    return lavis.stage_one()


def without_padding(paths, seen):
    """Leave out what padding says of itself: our masks and theirs differ there, and nobody reads it."""
    wide = nn.functional.pad(seen, (QFORMER.queries, 0), value=1)
    masks = {"text": seen, "caption": seen, "both": wide}
    return {name: t[masks[name].bool()] if name in masks else t for name, t in paths.items()}


def test_every_path_of_the_qformer_is_that_of_lavis(stage_one):
    seen = stage_one.given["attention_mask"]
    found = without_padding(Parts(stage_one.state).paths(stage_one.given), seen)
    shown = without_padding({name: stage_one.outputs[name] for name in found}, seen)
    assert_same(found, shown)


@pytest.mark.parametrize("name", ["image", "queries", "text", "both", "caption"])
def test_gradients_of_every_path_are_those_of_lavis(stage_one, name):
    model, given = Parts(stage_one.state), stage_one.given
    theirs = gradients(stage_one.model, {name: probe(lavis.paths(stage_one.model, given), name, given)})
    ours = gradients(model, {name: probe(model.paths(given), name, given)})
    assert_same(ours, renamed(theirs))


def probe(paths, name, given):
    """A number that depends on everything a path says, each place differently."""
    said = without_padding(paths, given["attention_mask"])[name]
    weights = torch.randn(said.shape, generator=torch.Generator().manual_seed(3))
    return (said * weights).mean()


def test_queries_that_read_an_instruction_are_those_of_instructblip():
    theirs = hf.instructblip_llama()
    given = theirs.given
    model = Parts(theirs.state | head_of(lavis.stage_one().state))
    image = model.norm(model.vision(given["pixel_values"]))
    said = model.qformer.both(image, given["qformer_input_ids"], given["qformer_attention_mask"])
    embeds, _, _ = theirs.model.get_image_features(
        given["pixel_values"], given["qformer_input_ids"], given["qformer_attention_mask"], return_dict=True
    )
    projected = theirs.model.language_projection(said[:, : QFORMER.queries])
    torch.testing.assert_close(projected, embeds, atol=1e-5, rtol=1e-5)


def head_of(state):
    return {name: tensor for name, tensor in state.items() if name.startswith("Qformer.cls")}


def test_queries_alone_are_those_of_transformers():
    theirs = hf.blip2_opt()
    model = Parts(theirs.state, text=False)
    image = model.norm(model.vision(theirs.given["pixel_values"]))
    projected = theirs.model.language_projection(model.qformer.look(image))
    features = theirs.model.get_image_features(theirs.given["pixel_values"])
    torch.testing.assert_close(projected, features, atol=1e-5, rtol=1e-5)
