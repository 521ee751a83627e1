"""Weights of LAVIS and of transformers, imported, say in our models what they say there."""

import pytest
import torch

from curate.train.architectures.blip2 import Blip2, Blip2Config
from curate.train.architectures.blip2_stage1 import Blip2Stage1, Blip2Stage1Config
from curate.train.architectures.instructblip import InstructBlip, InstructBlipConfig
from curate.train.importing import SOURCES
from curate.train.importing.taking import take

from . import hf_reference as hf
from . import lavis_reference as lavis
from . import ours as mine
from . import tiny
from .reference import assert_same
from .tiny import SHARED

SEEING = mine.seeing_sizes()
CASES = {
    "blip2_opt": ("hf-blip2", hf.blip2_opt, Blip2, Blip2Config, SEEING | {"language": tiny.OPT}),
    "blip2_t5": ("hf-blip2", hf.blip2_t5, Blip2, Blip2Config, SEEING | {"language": tiny.T5}),
    "instructblip_llama": (
        "hf-instructblip", hf.instructblip_llama, InstructBlip, InstructBlipConfig, SEEING | {"language": tiny.LLAMA},
    ),
    "instructblip_t5": (
        "hf-instructblip", hf.instructblip_t5, InstructBlip, InstructBlipConfig, SEEING | {"language": tiny.T5},
    ),
}  # fmt: skip
"""Without LLaVA: our CLIP is that of transformers 5, whose names are others. tests/train/importing has it."""


@pytest.mark.parametrize("name", CASES)
def test_an_imported_model_says_what_transformers_says(name):
    kind, reference, model, config, sizes = CASES[name]
    theirs = reference()
    ours = filled(model(mine.configured(config, **sizes)), kind, theirs.state)
    batch = mine.batch_of(theirs.given, encodes=name.endswith("t5"))
    mine.assert_logits(ours, batch, theirs.outputs["logits"])


def test_an_imported_first_stage_says_what_lavis_says():
    reference = lavis.stage_one()
    given, shown = reference.given, reference.outputs
    ours = imported(reference.state)
    ids, seen = given["input_ids"], given["attention_mask"]
    with torch.no_grad():
        image = ours.norm(ours.look(given["pixel_values"]))
        queries, kept = ours.qformer.look_and_keep(image)
        begun = torch.cat([torch.full_like(ids[:, :1], lavis.DEC), ids[:, 1:]], dim=1)
        said = ours.head(ours.qformer.say(kept, begun, seen), ours.qformer.words)
        shared = ours.text_proj(ours.qformer.read(ids, seen)[:, 0])
        found = {
            "image": image,
            "queries": queries,
            "caption": said[seen.bool()],
            "itm": ours.matching_logits(image, ids, seen),
            "image_shared": torch.nn.functional.normalize(ours.vision_proj(queries), dim=-1),
            "text_shared": torch.nn.functional.normalize(shared, dim=-1),
        }
    assert_same(found, {name: shown[name] for name in found} | {"caption": shown["caption"][seen.bool()]})


def imported(state):
    return filled(Blip2Stage1(mine.configured(Blip2Stage1Config, shared=SHARED, **SEEING)), "lavis-blip2-stage1", state)


def filled(model, kind, state):
    """Fill a model of the reference's sizes: every one of its weights is taken from there."""
    taken = take(SOURCES[kind], dict(state), model, {})
    assert taken.weights.keys() == dict(model.named_parameters()).keys()
    model.load_state_dict(taken.weights, strict=False)
    return model.eval()
