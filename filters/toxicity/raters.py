"""Which models rate texts, what each tells, and how one is loaded."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from curate.models import Model
from filters.toxicity import detoxify, tox_block
from filters.toxicity.packed import Precision

Label = Literal["toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack", "sexual_explicit"]
ALL_LABELS: tuple[Label, ...] = get_args(Label)
LABELS: tuple[Label, ...] = ALL_LABELS[:6]
"""What every model tells; `unbiased` and `multilingual` tell `sexual_explicit` too."""

Rater = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""From n texts to probabilities float32[n, labels], not-a-number for a label that the model does not tell."""


def weights_of(name: str) -> Model:
    """Name the weights that tox-block carries, or Detoxify's."""
    return tox_block.MODEL if name == tox_block.NAME else detoxify.model(name)


def labels_of(name: str) -> tuple[Label, ...]:
    """Return what a model tells as far as its name says: of a folder, what all models tell."""
    return ALL_LABELS if name in ("unbiased", "multilingual") else LABELS


def load_rater(name: str, labels: Sequence[str], precision: Precision = "float32", *, whole: bool = True) -> Rater:
    """Load a model; return its rater for `labels`.

    Raises:
        ModelError: the weights are not here, are broken, or do not tell one of the labels.
    """
    folder = weights_of(name).locate()
    if name != tox_block.NAME:
        return detoxify.load(folder, labels, precision, whole=whole)
    told = [label for label in labels if label in tox_block.OUTPUTS]
    rate = tox_block.load(folder, told, whole=whole)
    places = [labels.index(label) for label in told]

    def spread(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        rated = np.full((len(texts), len(labels)), np.nan, np.float32)
        rated[:, places] = rate(texts)
        return rated

    return spread
