"""An encoder made quicker on a CPU: the same weights laid out once for the processor, or in fewer bits.

A `Linear` of PyTorch multiplies through MKL, which on processors other than Intel's leaves half of their width unused,
and lays the weights out anew at each call. oneDNN, which PyTorch carries too, takes weights that were laid out once,
and applies GELU to a product while it is still in the cache. One core of an AMD EPYC (Zen 5): 60 to 115 GFLOP/s through
MKL, 160 to 280 so; products differ in the last bits of float32 alone.
"""

import warnings
from typing import Any, Literal

Precision = Literal["float32", "bfloat16", "int8"]


def pack(network: Any, precision: Precision) -> Any:
    """Return the network with its linear layers laid out for this processor; the one given is used up."""
    import torch

    network.eval().requires_grad_(requires_grad=False)
    if precision == "int8":
        return _in_eight_bits(network)
    if precision == "bfloat16":
        return network.to(torch.bfloat16)
    if torch.backends.mkldnn.is_available():
        _lay_out(network)
    return network


def _in_eight_bits(network: Any) -> Any:
    """Quantize weights to eight bits by output, and activations as they come: PyTorch's dynamic quantization."""
    import torch

    how = torch.ao.quantization.per_channel_dynamic_qconfig
    with warnings.catch_warnings():
        # PyTorch 2.13 says at each call that a package of its own, torchao, is to take this over.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
        return torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear: how})


def _lay_out(module: Any) -> None:
    import torch

    for name, part in module.named_children():
        if isinstance(part, torch.nn.Linear):
            setattr(module, name, _packed_linear(part, "none"))
        else:
            _lay_out(part)
    if _ends_in_gelu(module):
        module.dense.activation = "gelu"
        module.intermediate_act_fn = torch.nn.Identity()


def _ends_in_gelu(module: Any) -> bool:
    """Tell the block of BERT and its kin whose product goes through the exact GELU, not through an approximation."""
    return type(getattr(module, "intermediate_act_fn", None)).__name__ == "GELUActivation" and hasattr(module, "dense")


def _packed_linear(linear: Any, activation: str) -> Any:
    import torch

    class PackedLinear(torch.nn.Module):
        """`Linear` over weights in oneDNN's own layout."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)  # noqa: SLF001
            self.bias = linear.bias
            self.activation = activation

        def forward(self, rows: Any) -> Any:
            exact = "none" if self.activation == "gelu" else ""
            return torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
                rows, self.weight, self.bias, self.activation, [], exact
            )

    return PackedLinear()
