"""What frozen towers say of pictures, stored beside the shards: which features are a model's, and that they are.

A fingerprint names all that decides them: the weights that look, how a picture becomes pixels, the precision.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curate.errors import TrainError
from curate.shards import Features, ShardReader, stored_features
from curate.train.architectures import kind_of
from curate.train.config import Training
from curate.train.corpus import Corpus, Drawn, collate
from curate.train.dealing import At
from curate.train.learner import Learner
from curate.train.mixture import Mixture
from curate.train.model import Architecture
from curate.train.template import Unusable

DTYPES = ("float32", "float16")
"""Of stored features, the ones preferred first."""
_TOLERANCES = {"float32": 1e-4, "float16": 2e-3}
"""Largest difference to what the model says now, over its largest value: four roundings of float16 are 2e-3."""
_ROUGH = 3e-2
"""The same in bfloat16, whose roundings are 4e-3 each, over dozens of layers."""
_PROVED = 8
"""Samples that must agree before stored features are trusted."""
_TRIED = 1024
"""Places that are searched for them: text alone has no pictures to compare."""


@dataclass(frozen=True)
class Stored:
    """Features of every source of a mixture."""

    readers: Sequence[ShardReader]
    features: Sequence[Features]
    dtype: str
    blank: torch.Tensor
    """float32[1, ...]: what the model says of a blank picture."""

    def of(self, at: At) -> NDArray[Any]:
        """Return the features of a sample that has a picture.

        Raises:
            Unusable: its picture cannot be used.
        """
        source, index = at
        shard, row = self.readers[source].place(index)
        name = self.readers[source].manifest.shards[shard].name
        reason = self.features[source].missing(name, row)
        if reason is not None:
            raise Unusable(reason)
        return self.features[source].read(name, row)


def made_by(learner: Learner, dtype: str) -> dict[str, Any]:
    """Return all that decides what is stored, as JSON has it."""
    model, config = learner.model, learner.model.training_config
    parts = {name: getattr(config, name).model_dump(mode="json") for name in model.LOOKS if hasattr(config, name)}
    return {
        "sees": model.SEES,
        "parts": parts,
        "weights": {name: learner.frozen[name] for name in model.LOOKS},
        "transform": asdict(learner.examples.transform),
        "precision": config.precision,
        "row": list(blank(learner).shape[1:]),
        "dtype": dtype,
    }


def fingerprint(made: Mapping[str, Any]) -> str:
    """Return the name of features that were made by all this."""
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:32]


def why_not(config: Training) -> str:
    """Say which setting keeps a model's features from being stored; nothing if none does."""
    learning = [name for name in kind_of(config).model.LOOKS if name in config.trainable]
    if learning:
        return f"{', '.join(learning)} learns, so what it says of a picture changes: leave it out of trainable"
    if config.pictures == "random_crop":
        return "pictures=random_crop shows a picture differently each time: set pictures=crop, pad or squeeze"
    return ""


def find(learner: Learner, mixture: Mixture) -> tuple[Stored | None, str]:
    """Return the features stored for a model, where every source has them, and what is to be said of them.

    Nothing is said where no source has any.

    Raises:
        TrainError: they are not what the model says of the pictures.
    """
    if not any(stored_features(source.url) for source in mixture.sources):
        return None, ""
    reason = why_not(learner.model.training_config)
    if reason:
        return None, f"stored features are not used: {reason}"
    lacking = [source.url for source in mixture.sources]
    for dtype in DTYPES:
        name = fingerprint(made_by(learner, dtype))
        found = [Features(source.url, name, source.reader.cache) for source in mixture.sources]
        without = [s.url for s, f in zip(mixture.sources, found, strict=True) if not f.cover(s.reader.manifest.shards)]
        if not without:
            stored = Stored([source.reader for source in mixture.sources], found, dtype, blank(learner))
            _prove(learner, mixture, stored)
            return stored, f"features stored as {name} are used; no picture is decoded"
        lacking = min(lacking, without, key=len)
    return None, f"stored features are not used: {', '.join(lacking)} has none of these weights, settings and shards"


@torch.inference_mode()
def look(model: Architecture, pixels_PCSS: torch.Tensor) -> torch.Tensor:
    """Return float32[P, ...] on the CPU: what a model says of pictures, in the precision that it is trained in."""
    with model.in_precision():
        return model.look(pixels_PCSS.to(model.device)).float().cpu()


def blank(learner: Learner) -> torch.Tensor:
    """Return float32[1, ...]: what a model says of a blank picture."""
    return look(learner.model, learner.examples.transform.blank(1)).clone()


def _prove(learner: Learner, mixture: Mixture, stored: Stored) -> None:
    """Have the model look at the first pictures, and compare."""
    config, transform = learner.model.training_config, learner.examples.transform
    live, cached = Corpus(mixture, config, learner.examples), Corpus(mixture, config, learner.examples, stored)
    both = ((live.draw([place]), cached.draw([place])) for place in range(min(mixture.trained, _TRIED)))
    pairs = list(islice((pair for pair in both if any(map(_pictured, pair))), _PROVED))
    if not pairs:
        return
    if not all(_pictured(drawn) for pair in pairs for drawn in pair):
        raise TrainError(_unlike(stored, "a picture can be used on one side alone"))
    shown, said = (Drawn([drawn.examples[0] for drawn in side], [], []) for side in zip(*pairs, strict=True))
    now = look(learner.model, collate(shown, transform).pictures)
    then = collate(said, transform, blank=stored.blank).pictures
    apart = float((now - then).abs().max() / now.abs().max().clamp_min(torch.finfo(now.dtype).tiny))
    allowed = _TOLERANCES[stored.dtype] if config.precision == "float32" else _ROUGH
    if not apart <= allowed:
        raise TrainError(_unlike(stored, f"the largest difference is {apart:.2g} of the largest value"))


def _pictured(drawn: Drawn) -> bool:
    return bool(drawn.examples) and drawn.examples[0].picture is not None


def _unlike(stored: Stored, how: str) -> str:
    places = " or ".join(features.url for features in stored.features)
    return f"{places}: does not hold what the model says of its pictures: {how}. Delete it and make it anew"


def cast(features: torch.Tensor, dtype: str) -> NDArray[Any]:
    """Return features as they are stored.

    Raises:
        TrainError: they are too large for it.
    """
    with np.errstate(over="ignore"):
        made: NDArray[Any] = features.numpy().astype(dtype)
    if not np.isfinite(made).all():
        raise TrainError(f"features of this model do not fit into {dtype}: give --dtype float32")
    return made
