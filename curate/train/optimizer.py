"""AdamW and its learning rate."""

import math

import torch

from curate.train.adapters import is_adapter
from curate.train.config import Training
from curate.train.model import Architecture
from curate.train.sizes import Lora

_MATRIX = 2
FACTOR = "factor"
"""In a group of parameters: what the schedule's rate is multiplied by."""


def optimizer_for(model: Architecture) -> torch.optim.Optimizer:
    """AdamW (Loshchilov, Hutter 2019, arXiv 1711.05101): no decay of gains and biases; adapters have their rate."""
    config, learns = model.training_config, model.learns()
    own = {name: p for name, p in learns.items() if not is_adapter(name)}
    beside = [p for name, p in learns.items() if is_adapter(name)]
    factor = getattr(config, "lora", Lora()).learning_rate / config.learning_rate
    groups = [
        {"params": [p for p in own.values() if p.ndim >= _MATRIX], "weight_decay": config.weight_decay, FACTOR: 1.0},
        {"params": [p for p in own.values() if p.ndim < _MATRIX], "weight_decay": 0.0, FACTOR: 1.0},
        {"params": beside, "weight_decay": config.weight_decay, FACTOR: factor},
    ]
    kept = [group for group in groups if group["params"]]
    return torch.optim.AdamW(kept, lr=config.learning_rate, betas=(config.beta1, config.beta2))


def learning_rate(step: int, config: Training) -> float:
    """Rise linearly over `warmup_steps`, then fall by the schedule.

    `cosine` is half a cosine (Loshchilov and Hutter 2016, arXiv 1608.03983).
    """
    first, most, least = config.first_learning_rate, config.learning_rate, config.least_learning_rate
    if step < config.warmup_steps:
        return first + (most - first) * (step + 1) / config.warmup_steps
    gone = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    if config.schedule == "constant":
        return most
    share = 1 - gone if config.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * gone))
    return least + (most - least) * share
