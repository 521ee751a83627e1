"""Tiny models that have learned to tell drawn shapes apart, and a run of shapes with all that they are measured by."""

import itertools
import json
from pathlib import Path
from typing import Any

from curate.train import train
from train.shapes import COLOURS, PLACES, SHAPES, Sample, draw, sample

TOWER = {
    "vision.kind": "clip", "vision.image_size": "64", "vision.patch": "16", "vision.width": "64",
    "vision.layers": "2", "vision.heads": "2", "vision.feedforward": "128",
}  # fmt: skip
LANGUAGE = {
    "language.width": "64", "language.layers": "2", "language.heads": "2", "language.feedforward": "128",
    "language.vocabulary": "400",
}  # fmt: skip
QFORMER = {
    "qformer.queries": "4", "qformer.width": "64", "qformer.layers": "2", "qformer.heads": "2",
    "qformer.feedforward": "128", "qformer.dropout": "0", "qformer.vocabulary": "400",
}  # fmt: skip
LEARNING = {"batch_size": "16", "warmup_steps": "10", "learning_rate": "3e-3", "threads": "1", "held_out": "8"}
RECIPES: dict[str, dict[str, str]] = {
    "llava-tiny": {**TOWER, **LANGUAGE, "steps": "160"},
    "blip2-opt-tiny": {**TOWER, **LANGUAGE, **QFORMER, "steps": "60",
                       "trainable": "vision,norm,qformer,projector,language"},
    "blip2-stage1-tiny": {**TOWER, **QFORMER, "steps": "120",
                          "trainable": "vision,norm,qformer,head,vision_proj,text_proj,itm_head,temp"},
    "fromage-tiny": {**TOWER, **LANGUAGE, "steps": "100",
                     "trainable": "vision,language,visual_embeddings,visual_fc,text_fc,logit_scale,ret"},
}  # fmt: skip
QUESTION = "What is in this picture?"


def shape(colour: str, form: str, place: str) -> Sample:
    """Return a sample with a conversation, a caption, and its form as its class."""
    said = f"A {colour} {form} on the {place}."
    key, members = sample(said, draw(colour, form, place), f"<image>\n{QUESTION}", said)
    facts = {**json.loads(members[0][1]), "caption": said, "form": form}
    return key, [("json", json.dumps(facts).encode()), *members[1:]]


def shapes() -> list[Sample]:
    """Return each combination of colour, form and place once."""
    return [shape(*which) for which in itertools.product(COLOURS, SHAPES, PLACES)]


def learned(preset: str, data: str, out: Path) -> dict[str, Any]:
    """Train a tiny model of a preset for some seconds."""
    overrides = {**LEARNING, "checkpoint_every": RECIPES[preset]["steps"], **RECIPES[preset]}
    return train(preset, data, str(out), overrides=overrides, progress=lambda _: None)
