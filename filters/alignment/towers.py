"""What a pair of towers is: pictures and texts become vectors of one space, where a cosine compares them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Vectors = npt.NDArray[np.float32]
"""float32[n, width], each of length 1."""


@dataclass(frozen=True)
class Towers:
    """Two encoders into one space. A picture is prepared on its own, so that only small ones wait in a batch."""

    prepare: Callable[[Image.Image], Any]
    """From an RGB picture to the tensor that the picture tower eats, float32[3, height, width]."""
    embed_pictures: Callable[[Sequence[Any]], Vectors]
    embed_texts: Callable[[Sequence[str]], Vectors]


def batched(texts: Sequence[str], size: int, embed: Callable[[list[str]], Vectors]) -> Vectors:
    """Embed texts in batches of like length, so that little is padding; results are in the order given."""
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), i))
    chunks = [order[start : start + size] for start in range(0, len(order), size)]
    vectors = np.concatenate([embed([texts[i] for i in chunk]) for chunk in chunks])
    return vectors[np.argsort(order)]
