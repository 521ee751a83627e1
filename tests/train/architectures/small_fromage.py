"""A FROMAGe of a few thousand weights, and something to feed it."""

import itertools
import json
import random

import torch

from curate.train.architectures.fromage import Fromage
from curate.train.batch import Batch, Text
from curate.train.presets import configure
from curate.train.samples import Sample
from curate.train.template import UNLABELLED, Tokens
from train.shapes import COLOURS, PLACES, SHAPES, draw

CLIP = {
    "vision.kind": "clip",
    "vision.image_size": "64",
    "vision.patch": "16",
    "vision.width": "128",
    "vision.layers": "4",
    "vision.heads": "4",
    "vision.feedforward": "512",
}
SMALL = {
    **CLIP,
    "vision.width": "32",
    "vision.layers": "2",
    "vision.heads": "2",
    "vision.feedforward": "64",
    "language.width": "32",
    "language.heads": "2",
    "language.feedforward": "64",
    "language.vocabulary": "300",
    "visual_tokens": "2",
    "batch_size": "4",
    "trainable": "visual_embeddings,visual_fc,text_fc,logit_scale,ret",
}
WORDS = 5


def made(**overrides):
    torch.manual_seed(0)
    config = configure("fromage-tiny", {**SMALL, **{name: str(value) for name, value in overrides.items()}})
    return Fromage(config)


def one_batch(model, places=(6, 7, 8, 9)):
    """Captions of different lengths, each of the place that it has."""
    texts, pixels = [], []
    for place in places:
        generator = torch.Generator().manual_seed(place)
        words = torch.randint(1, 300, (WORDS + place % 3,), generator=generator).tolist()
        texts.append(Tokens([0, *words, 300], [UNLABELLED, *words, 300]))
        pixels.append(torch.randn(3, 64, 64, generator=generator))
    return Batch(Text.padded(texts), None, None, torch.stack(pixels), cached=False, places_B=torch.tensor(places))


def words_of(batch):
    return [ids[mask > 0] for ids, mask in zip(batch.text.ids_BL, batch.text.mask_BL, strict=True)]


def captioned(number):
    colour, shape, place = list(itertools.product(COLOURS, SHAPES, PLACES))[number]
    return f"A {colour} {shape} on the {place}.", draw(colour, shape, place)


def sample_of(caption, picture):
    return Sample({"json": json.dumps({"caption": caption}).encode(), "png": picture}, random.Random(0))
