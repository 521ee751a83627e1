"""Low-rank adapters: a frozen matrix W answers as W + (alpha / rank) B A, and A and B learn.

Hu et al. 2021, arXiv 2106.09685, section 4.1, by peft, which puts adapters beside the matrices of a language model's
blocks and leaves every other name as it is.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from torch import nn

from curate.train.sizes import Lora

_KEPT = ".base_layer."
"""What peft puts into the name of a matrix that has an adapter."""
_Value = TypeVar("_Value")


def adapt(blocks: Sequence[nn.Module], sizes: Lora) -> None:
    """Put an adapter beside every linear matrix of blocks; none at rank 0. They answer as before until B learns."""
    if not sizes.rank:
        return
    from peft import LoraConfig, inject_adapter_in_model

    for block in blocks:
        matrices = [name for name, module in block.named_modules() if isinstance(module, nn.Linear)]
        chosen = {"r": sizes.rank, "lora_alpha": sizes.alpha, "lora_dropout": sizes.dropout}
        inject_adapter_in_model(LoraConfig(target_modules=matrices, **chosen), block)


def is_adapter(name: str) -> bool:
    """Say whether a parameter's name is that of an adapter."""
    return ".lora_" in name


def without(state: Mapping[str, _Value]) -> dict[str, _Value]:
    """Return what a state dict holds beside adapters, by the names that it has without them."""
    return {name.replace(_KEPT, "."): value for name, value in state.items() if not is_adapter(name)}


def merge(model: nn.Module) -> None:
    """Add what adapters have learned to the matrices beside them."""
    for module in model.modules():
        if hasattr(module, "get_delta_weight"):
            module.merge()
