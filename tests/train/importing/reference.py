"""The names and shapes of published checkpoints, as tensors without numbers, and models of full size without any."""

import gzip
import json
from functools import cache
from pathlib import Path

import torch

from curate.train.architectures import kind_of
from curate.train.presets import configure

FOLDER = Path(__file__).parents[2] / "data" / "checkpoints"


def published(name):
    held = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return {key: torch.empty(shape, device="meta") for key, shape in held["shapes"].items()}


@cache
def empty(preset):
    with torch.device("meta"):
        return kind_of(configure(preset, {})).model(configure(preset, {}))


def parts(model, *names):
    """Our names of parts, tied ones once."""
    return {name for name, _ in model.named_parameters() if name.partition(".")[0] in names}
