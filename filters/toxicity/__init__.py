"""How abusive a caption is."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.models import Model
from curate.stage import Filter, Scorer, threshold
from filters.toxicity import detoxify, tox_block

LABELS = ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")

Rater = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""From n texts to probabilities float32[n, 6], in the order of LABELS."""


class Toxicity(Filter):
    """Drop samples whose caption scores above `at_most` on the highest of six labels.

    The six are independent probabilities: a caption may be a threat and no insult. A caption without text scores 0.
    Source: Detoxify, Hanu and Unitary (2020), github.com/unitaryai/detoxify, with its label names. Its `unbiased` and
    `multilingual` models also tell `sexual_explicit`, which is not kept. `tox-block` names the small BiLSTM of the
    package tox-block, which was trained on the comments and labels of Detoxify's `original` and is weaker.
    """

    name: ClassVar[str] = "toxicity"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = tuple(pa.field(label, pa.float32()) for label in LABELS)  # 0..1

    model: str = Field(
        "unbiased", description="original, unbiased, multilingual, a folder with a Detoxify model, or tox-block"
    )
    at_most: float | None = threshold(0.5, "probability of the most probable label", ge=0, le=1)

    def models(self) -> tuple[Model, ...]:
        """Name Detoxify's weights, or those that tox-block carries."""
        return (tox_block.MODEL if self.model == tox_block.NAME else detoxify.model(self.model),)

    def open(self) -> Scorer:
        """Load the model; return a function from captions to the six columns, distinct captions once."""
        load = tox_block.load if self.model == tox_block.NAME else detoxify.load
        rate: Rater = load(self.models()[0].locate(), LABELS)

        def score(table: pa.Table) -> list[pa.Array]:
            distinct = pc.utf8_trim_whitespace(pc.fill_null(table["caption"], "")).combine_chunks().dictionary_encode()
            texts = distinct.dictionary.to_pylist()
            probabilities = np.zeros((len(texts), len(LABELS)), np.float32)
            written = [i for i, text in enumerate(texts) if text]
            if written:
                probabilities[written] = rate([texts[i] for i in written])
            return [pa.array(column, pa.float32()).take(distinct.indices) for column in probabilities.T]

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return `above_at_most` where the highest label is above it."""
        highest = pc.max_element_wise(*(c.combine_chunks() for c in scores.columns))
        return super().decide(pa.table({"highest": highest}))
