"""AdamW and its learning rate."""

import math

import torch

from curate.train.config import Training
from curate.train.model import Architecture

_MATRIX = 2


def optimizer_for(model: Architecture) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101); gains and biases do not decay."""
    config, learns = model.training_config, list(model.learns().values())
    groups = [
        {"params": [p for p in learns if p.ndim >= _MATRIX], "weight_decay": config.weight_decay},
        {"params": [p for p in learns if p.ndim < _MATRIX], "weight_decay": 0.0},
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
