"""Every tiny preset at sizes at which a step takes a few milliseconds, without dropout."""

VISION = {"vision.image_size": "64"}
QFORMER = {
    "qformer.queries": "4", "qformer.width": "32", "qformer.layers": "2", "qformer.heads": "2",
    "qformer.feedforward": "64", "qformer.dropout": "0", "qformer.vocabulary": "400",
}  # fmt: skip
LANGUAGE = {
    "language.width": "32", "language.layers": "2", "language.heads": "2", "language.feedforward": "64",
    "language.vocabulary": "400",
}  # fmt: skip
CLIP = {"vision.width": "32", "vision.layers": "2", "vision.heads": "2", "vision.feedforward": "64"}

SMALL = {
    "llava-tiny": {**CLIP, **LANGUAGE},
    "minigpt4-tiny": {**VISION, **LANGUAGE},
    "instructblip-tiny": {**VISION, **QFORMER, **LANGUAGE},
    "blip2-opt-tiny": {**VISION, **QFORMER, **LANGUAGE},
    "blip2-flan-t5-tiny": {**VISION, **QFORMER, **LANGUAGE},
    "blip2-stage1-tiny": {**VISION, **QFORMER},
    "fromage-tiny": {**VISION, **LANGUAGE},
}
"""Overrides by preset."""
