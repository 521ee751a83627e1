"""What a reference tells: what it was given, what it answered, its losses, and its gradients by its own names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from .tiny import IMAGE_TOKEN

Tensors = dict[str, torch.Tensor]
NEW_TOKENS = 8
"""How many tokens each reference says."""


@dataclass(frozen=True)
class Reference:
    """A tiny model with random weights in float32, and all that one batch shows of it."""

    model: nn.Module
    given: Tensors
    """The batch, by the names of the reference's own arguments."""
    outputs: Tensors = field(default_factory=dict)
    """Logits and the like, detached."""
    losses: Tensors = field(default_factory=dict)
    """Means, as the reference forms them."""
    gradients: Tensors = field(default_factory=dict)
    """Of the sum of all losses, by the reference's names."""
    asked: list[Tensors] = field(default_factory=list)
    """Prompts of one row each, without padding."""
    said: list[list[int]] = field(default_factory=list)
    """The likeliest NEW_TOKENS tokens after each prompt, one by one; no token ends them."""

    @property
    def state(self) -> Tensors:
        """Every weight, by the reference's names."""
        return dict(self.model.state_dict())


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Fill every parameter but single numbers, so that none is zero, one or a copy of another; switch dropout off.

    Zeros and copies, which most inits leave (biases, queries, the Q-Former's second feed-forward), hide a wrong key.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(_centre(name, parameter) + _scale(name, parameter) * noise)
    return model.float().eval()


def mute(language: Any, token: int) -> None:
    """See that a language model never says a token: a row of nothing in its output matrix."""
    with torch.no_grad():
        language.get_output_embeddings().weight[token] = 0.0


def _centre(name: str, parameter: torch.Tensor) -> float:
    norm = parameter.ndim == 1 and name.endswith("weight")
    return 1.0 if norm else 0.0


def _scale(name: str, parameter: torch.Tensor) -> float:
    if parameter.ndim in (2, 4) and "position" not in name:  # matrices and convolutions: outputs as large as inputs
        return parameter[0].numel() ** -0.5
    return 0.1 if parameter.ndim == 1 else 0.5


def detached(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def gradients(model: nn.Module, losses: Mapping[str, torch.Tensor]) -> Tensors:
    """Return the gradient of the sum of losses, of every parameter that they depend on; for our models too."""
    model.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return {name: gradient for name, gradient in found.items() if gradient.any()}


def greedy(model: Any, asked: list[Tensors]) -> list[list[int]]:
    """Return what the reference's own `generate` says after each prompt."""
    said = []
    for prompt in asked:
        ids = model.generate(**prompt, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False)
        said.append(ids[0, -NEW_TOKENS:].tolist())
    return said


def conditional(model: Any, given: Tensors, asked: list[Tensors]) -> Reference:
    """Return all that a model of transformers shows which answers with `logits` and `loss`."""
    mute(model, IMAGE_TOKEN)
    result = model(**given)
    losses = {"tokens": result.loss}
    return Reference(
        model, given, detached({"logits": result.logits}), detached(losses), gradients(model, losses), asked,
        greedy(model, asked),
    )  # fmt: skip


def assert_same(ours: Mapping[str, torch.Tensor], theirs: Mapping[str, torch.Tensor], tolerance: float = 1e-5) -> None:
    """Compare tensors of the same names.

    Raises:
        AssertionError: a name or a number differs.
    """
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        found = ours[name]
        torch.testing.assert_close(found, tensor, atol=tolerance, rtol=tolerance, msg=lambda m, n=name: f"{n}: {m}")
