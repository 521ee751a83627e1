"""What a training run will be, before it is one: parameters, memory, tokens, and how many samples it can use."""

from dataclasses import asdict
from typing import Any

import torch

from curate.train.architectures import kind_of
from curate.train.config import Training
from curate.train.contract import read_through
from curate.train.corpus import Corpus
from curate.train.counting import activation_bytes, count
from curate.train.learner import vocabularies_for
from curate.train.mixture import open_mixture
from curate.train.presets import configure, described, presets

LOOKED_AT = 2_000
"""Samples whose text is read, the first in training order; of as many, a share is known to about one in a hundred."""


def table() -> list[dict[str, Any]]:
    """Return a row for each preset: architecture, parameters, and bytes of weights and optimizer."""
    rows = []
    for name, config in presets().items():
        counted = count(config)
        row = {"preset": name, "architecture": config.architecture, "learns": counted.learns, "total": counted.total}
        rows.append({**row, "weight_bytes": counted.weight_bytes, "needs": _needs(config)})
    return rows


def settings_of(preset: str) -> list[tuple[str, str, str]]:
    """Return (key, value, what it means) of each setting of a preset.

    Raises:
        TrainError: there is no such preset.
    """
    return described(configure(preset, {}))


def forecast(preset: str, data: tuple[str, ...], overrides: dict[str, str]) -> dict[str, Any]:
    """Return what training would do, having built nothing and read some of the samples.

    Raises:
        TrainError: the preset, an override or the data cannot be used.
    """
    config = configure(preset, overrides)
    counted = count(config)
    found: dict[str, Any] = {
        "preset": preset,
        "parts": [asdict(part) for part in counted.parts],
        "learns": counted.learns,
        "total": counted.total,
        "weight_bytes": counted.weight_bytes,
        "needs": _needs(config),
    }
    return found | _budget(config, data)


def _budget(config: Training, data: tuple[str, ...]) -> dict[str, Any]:
    mixture = open_mixture(data, config)
    budget: dict[str, Any] = {
        "samples": mixture.trained,
        "epochs": config.steps * config.batch_size / max(1, mixture.trained),
    }
    missing = [name for name in kind_of(config).examples.VOCABULARIES if _misses(config, name)]
    if missing:
        return budget | {"unread": f"the vocabulary of {', '.join(missing)} comes with weights that are not named yet"}
    examples = kind_of(config).examples(config, vocabularies_for(config, mixture))
    seen = read_through(Corpus(mixture, config, examples), LOOKED_AT)
    with torch.device("meta"):
        model = kind_of(config).model(config)
    own = config.micro_batch or config.batch_size
    return budget | {
        "looked_at": seen.samples,
        "usable": seen.usable / max(1, seen.samples),
        "unusable": dict(seen.reasons.most_common()),
        "places": seen.places / max(1, seen.usable),
        "labelled_tokens": seen.labelled / max(1, seen.usable) * config.steps * config.batch_size,
        "activation_bytes": activation_bytes(config, model, seen.longest, own),
    }


def _needs(config: Training) -> list[str]:
    """Return the settings that must name weights before training can begin."""
    if not config.pretrained or config.start_from:
        return []
    return [name for part in config.PARTS if hasattr(config, name := f"{part}_from") and not getattr(config, name)]


def _misses(config: Training, vocabulary: str) -> bool:
    return f"{vocabulary}_from" in _needs(config)
