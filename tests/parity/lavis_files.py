"""LAVIS 1.0.2, one file at a time.

Its packages import everything they hold (decord, opencv, webdataset, spaCy, torchvision, timm), of which BLIP-2 needs
nothing: so each package is put into sys.modules empty, knowing only its folder, and its files are imported one by one.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from torch import nn
from transformers import modeling_utils, pytorch_utils

PACKAGES = ("lavis", "lavis.common", "lavis.models", "lavis.models.blip_models", "lavis.models.blip2_models")
MOVED = ("apply_chunking_to_forward", "find_pruneable_heads_and_indices", "prune_linear_layer")
"""Functions that transformers has since moved from modeling_utils to pytorch_utils, unchanged."""


def _never(*_: Any, **__: Any) -> None:
    raise AssertionError("a stand-in was called: install the real package")


STAND_INS: dict[str, dict[str, Any]] = {
    # Of timm, tiny towers without stochastic depth call these two, which torch has or which are one line.
    "timm.models.layers": {
        "drop_path": _never,
        "to_2tuple": lambda side: (side, side),
        "trunc_normal_": nn.init.trunc_normal_,
    },
    "timm.models.registry": {"register_model": lambda function: function},
    "timm.models.hub": {},  # downloads
    "fairscale.nn.checkpoint.checkpoint_activations": {"checkpoint_wrapper": _never},  # saves memory on GPUs
    "omegaconf": {"OmegaConf": _never},  # reads configurations
    "lavis.common.registry": {"registry": SimpleNamespace(register_model=lambda _: lambda kind: kind)},  # lists names
    "lavis.common.utils": {"get_abs_path": _never, "is_url": _never},  # downloads; imports torchvision, pandas, iopath
}
"""What LAVIS's files import and do not need here, with the names they import."""


@contextmanager
def _standing_in() -> Iterator[None]:
    """Put stand-ins into sys.modules while LAVIS's files are imported, and take them out again.

    Left there, they would tell other libraries that timm is installed.
    """
    before = set(sys.modules)
    names = [".".join(name.split(".")[: n + 1]) for name in STAND_INS for n in range(name.count(".") + 1)]
    added = [name for name in dict.fromkeys(names) if name not in before]
    for name in added:
        sys.modules[name] = _module(name, STAND_INS.get(name, {}))
        parent, _, child = name.rpartition(".")
        if parent in added:
            setattr(sys.modules[parent], child, sys.modules[name])
    for name in MOVED:
        setattr(modeling_utils, name, getattr(pytorch_utils, name))
    try:
        yield
    finally:
        for name in MOVED:
            delattr(modeling_utils, name)
        for name in added:
            del sys.modules[name]


def _module(name: str, holds: dict[str, Any]) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = []
    for key, value in holds.items():
        setattr(module, key, value)
    return module


def _open_packages() -> None:
    """Put LAVIS's packages into sys.modules without running their __init__.py."""
    root = Path(importlib.util.find_spec("lavis").origin).parent
    for name in PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package


def load(name: str) -> ModuleType:
    """Import one of LAVIS's files, and those that it needs, by its dotted name."""
    if "lavis" not in sys.modules:
        _open_packages()
    with _standing_in():
        return importlib.import_module(name)
