"""LAVIS's weights, imported, say in our first stage what they say in LAVIS."""

import torch

from curate.train.architectures.blip2_stage1 import Blip2Stage1, Blip2Stage1Config
from curate.train.importing import SOURCES
from curate.train.importing.taking import take
from curate.train.presets import presets

from . import lavis_reference as lavis
from .reference import assert_same
from .tiny import EVA, QFORMER, SHARED


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
    """Our model of the reference's sizes, every one of its tensors taken from there."""
    sizes = {"vision": EVA, "qformer": QFORMER, "shared": SHARED}
    model = Blip2Stage1(Blip2Stage1Config(**(presets()["blip2-stage1-tiny"].model_dump() | sizes)))
    taken = take(SOURCES["lavis-blip2-stage1"], dict(state), model, {})
    model.load_state_dict(taken.weights)
    return model.eval()
