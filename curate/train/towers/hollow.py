"""Parts whose weights come from elsewhere are built without any: billions of random numbers would be thrown away."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch
from torch import nn

_Module = TypeVar("_Module", bound=nn.Module)
_TYPES: ContextVar[Mapping[str, torch.dtype]] = ContextVar("types", default={})  # noqa: B039 - never changed in place


@contextmanager
def hollow(types: Mapping[str, torch.dtype]) -> Iterator[None]:
    """Build the parts of these names without values, in these types, until they are loaded."""
    token = _TYPES.set(types)
    try:
        yield
    finally:
        _TYPES.reset(token)


def made(part: str, build: Callable[[], _Module]) -> _Module:
    """Build a part, with random weights, or with memory that nothing was written to yet where it is to be hollow.

    What such a part computes from its settings (buffers that no file holds) must be put in when it is loaded.
    """
    kind = _TYPES.get().get(part)
    if kind is None:
        return build()
    with torch.device("meta"):
        module = build()
    return module.to(kind).to_empty(device="cpu")
