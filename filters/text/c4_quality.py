"""Whether a document has enough sentences in lines that C4 keeps, and none of the signs of a bad page."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.stage import Filter, Scorer, threshold
from filters.text.c4 import LineRules, judge, sentences
from filters.text.memo import Read, measured
from filters.text.rules import Rule, as_columns, first_broken, share

_RULES = (
    Rule("c4_lorem_ipsum", "at_most", "lorem_ipsum_at_most", "lorem_ipsum"),
    Rule("c4_curly_brackets", "at_most", "curly_brackets_at_most", "curly_brackets"),
    Rule("c4_sentences", "at_least", "sentences_at_least", "few_sentences"),
    Rule("c4_kept_lines", "at_least", "kept_lines_at_least", "few_kept_lines"),
)


class C4Quality(LineRules, Filter):
    """Drop documents with too few sentences in lines that C4 keeps, or with placeholder text or curly brackets in them.

    Source: Raffel et al. (2020), arXiv:1910.10683, section 2.2, in the order of the authors' code (tensorflow_datasets,
    c4_utils.py), which takes lines out one rule after the other. This filter measures what becomes of the document and
    changes nothing; the edit `c4_lines` takes the lines out. The list of bad words is the filter `bad_words`, language
    is `language`, duplicates are stages of their own.
    """

    name: ClassVar[str] = "c4_quality"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("c4_sentences", pa.int32()),  # in the lines that are kept
        pa.field("c4_kept_lines", pa.float32()),  # share of lines
        pa.field("c4_lorem_ipsum", pa.int32()),  # lines with it
        pa.field("c4_curly_brackets", pa.int32()),  # lines with one
    )

    lorem_ipsum_at_most: int | None = threshold(0, "lines with `lorem ipsum`", ge=0)
    curly_brackets_at_most: int | None = threshold(0, "lines with a curly bracket", ge=0)
    sentences_at_least: int | None = threshold(5, "sentences in kept lines", ge=0)
    kept_lines_at_least: float | None = threshold(None, "share of lines that are kept", ge=0, le=1)

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is judged."""
        return (self.column,)

    def open(self) -> Scorer:
        """Return a function that measures texts; a null text cannot be measured."""

        def score(table: pa.Table) -> list[pa.Array]:
            texts = table[self.column].combine_chunks()
            cleaned = self.cleaned(texts.fill_null(""))
            # Rows without a citation mark are in the memo as they were for the stages before.
            changed = pc.not_equal(cleaned, texts.fill_null("")).to_numpy(zero_copy_only=False)
            halves = [measured(cleaned.filter(pa.array(rows)), self._measure) for rows in (~changed, changed)]
            arrays = [_merged(changed, same, other) for same, other in zip(*halves, strict=True)]
            return as_columns(self.writes, arrays, texts.is_valid())

        return score

    def _measure(self, read: Read) -> list[NDArray[Any]]:
        judged = judge(read, self)
        found = np.where(judged.kept, sentences(read, judged.lines), 0)
        return [
            judged.total(found),
            share(judged.total(judged.kept), judged.lines.counts()),
            judged.total(judged.lorem_ipsum),
            judged.total(judged.brackets),
        ]

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return the reason of the first rule that a document breaks; placeholder text and brackets come first."""
        return first_broken(self, _RULES, scores)


def _merged(changed: NDArray[np.bool_], same: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    whole = np.empty(len(changed), same.dtype)
    whole[~changed], whole[changed] = same, other
    return whole
