"""How probable a fastText classifier holds it that a document is of the good kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.errors import ModelError, nearest
from curate.models import Model
from curate.stage import Filter, Scorer, threshold

LABEL_PREFIX = "__label__"


class FasttextQuality(Filter):
    """Drop documents that a fastText classifier holds for the good kind with a probability below `at_least`.

    Any supervised model does: DCLM's `openhermes_reddit_eli5_vs_rw_v2_bigram_200k_train.bin` (label `hq`), or one from
    `curate fit quality`. The score is the probability of `good_label`, on the text with its lines joined by spaces.
    Source: DCLM, Li et al. (2024), arXiv:2406.11794, section 4.4, and its code, which takes one minus the other label's
    probability where that is the likelier; here the label's own is read, which is the same for two labels.
    """

    name: ClassVar[str] = "fasttext_quality"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("fasttext_quality", pa.float32()),  # probability, 0..1; 0 for a document without text
    )

    model: str = Field(description="a fastText classifier: a .bin or .ftz file")
    good_label: str = Field("hq", min_length=1, description="the label of good documents, without `__label__`")
    column: Literal["text", "caption", "transcript"] = Field("text", description="what is read")
    licence: str = Field("unknown", description="of the model's weights, for the ledger of models")
    at_least: float | None = threshold(None, "probability of the label", ge=0, le=1)

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is read."""
        return (self.column,)

    def models(self) -> tuple[Model, ...]:
        """Name the classifier."""
        return (Model(self.model, licence=self.licence),)

    def open(self) -> Scorer:
        """Load the classifier; return a function from texts to probabilities, distinct texts once.

        Raises:
            ModelError: it is not here, is no fastText classifier, or does not know the label.
        """
        probability = _classifier(self.models()[0].locate(), self.good_label)

        def score(table: pa.Table) -> list[pa.Array]:
            distinct = pc.fill_null(table[self.column], "").combine_chunks().dictionary_encode()
            scores = [probability(text) for text in distinct.dictionary.to_pylist()]
            return [pa.array(scores, pa.float32()).take(distinct.indices)]

        return score


def _classifier(path: Path, label: str) -> Callable[[str], float]:
    model, wanted = _load(path), f"{LABEL_PREFIX}{label}"
    known = [name.removeprefix(LABEL_PREFIX) for name in model.get_labels()]
    if label not in known:
        shown = ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")  # noqa: PLR2004 - a line's worth
        raise ModelError(f"{path}: has no label '{label}'.{nearest(label, known)} Its labels: {shown}")

    def probability(text: str) -> float:
        line = " ".join(text.strip().splitlines())
        if not line:
            return 0.0
        labels, probabilities = model.predict(line, k=-1)
        told = dict(zip(labels, probabilities, strict=True))
        return min(float(told.get(wanted, 0.0)), 1.0)  # fastText exceeds 1 by a rounding error

    return probability


def _load(path: Path) -> Any:
    import fasttext

    try:
        model = fasttext.load_model(str(path))
    except (ValueError, MemoryError) as error:
        fix = "`model` of `fasttext_quality` takes what `curate fit quality` or fastText's `supervised` wrote"
        raise ModelError(f"{path}: not a fastText model: {error}. {fix}") from error
    if model.f.getArgs().model.name != "supervised":
        raise ModelError(f"{path}: holds word vectors ({model.f.getArgs().model.name}), not a classifier")
    return model
