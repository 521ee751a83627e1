"""Whether a document's lines are those of running text."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from curate.stage import Filter, Scorer, threshold
from filters.text import settings
from filters.text.classes import LINE_END
from filters.text.lines import repeated, split_newlines
from filters.text.memo import Read, measured
from filters.text.rules import Rule, as_columns, first_broken, share
from filters.text.words import Words, sums_between

_RULES = (
    Rule("fineweb_lines", "at_least", "lines_at_least", "empty"),
    Rule("fineweb_ended_lines", "at_least", "ended_lines_at_least", "few_ended_lines"),
    Rule("fineweb_short_lines", "at_most", "short_lines_at_most", "short_lines"),
    Rule("fineweb_duplicate_characters", "at_most", "duplicate_characters_at_most", "duplicate_characters"),
    Rule("fineweb_newlines", "at_most", "newlines_at_most", "many_newlines"),
)


class FinewebQuality(Filter):
    """Drop documents with few lines that end like sentences, many short lines, lines said again, or mostly newlines.

    Source: the custom filters of FineWeb, Penedo et al. (2024), arXiv:2406.17557, section 3.6, with datatrove's values.
    Lines without text do not count. A line ends well where its last character ends a sentence in some script: white
    space behind it is not passed over.
    """

    name: ClassVar[str] = "fineweb_quality"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("fineweb_lines", pa.int32()),  # lines with text
        pa.field("fineweb_ended_lines", pa.float32()),  # share of lines that end with a sentence's end
        pa.field("fineweb_short_lines", pa.float32()),  # share of lines
        pa.field("fineweb_duplicate_characters", pa.float32()),  # share of characters, newlines left out
        pa.field("fineweb_newlines", pa.float32()),  # newlines / words
    )

    column: settings.Column = settings.text_column()
    unspaced: settings.Unspaced = settings.unspaced("characters")
    short_line: int = Field(30, ge=0, description="characters of a line that is short, at most")
    lines_at_least: int | None = threshold(1, "lines with text; null keeps a text without", ge=0)
    ended_lines_at_least: float | None = threshold(0.12, "share of lines that end with a sentence's end", ge=0, le=1)
    short_lines_at_most: float | None = threshold(0.67, "share of short lines", ge=0, le=1)
    duplicate_characters_at_most: float | None = threshold(0.01, "share of characters in lines said again", ge=0, le=1)
    newlines_at_most: float | None = threshold(0.3, "newlines a word", ge=0)

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is judged."""
        return (self.column,)

    def open(self) -> Scorer:
        """Return a function that measures texts; a null text cannot be measured."""

        def score(table: pa.Table) -> list[pa.Array]:
            texts = table[self.column].combine_chunks()
            arrays = measured(texts, lambda read: _measure(read, read.words_as(self.unspaced), self.short_line))
            return as_columns(self.writes, arrays, texts.is_valid())

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return the reason of the first rule that a document breaks, in the order of the settings."""
        return first_broken(self, _RULES, scores)


def _measure(read: Read, words: Words, short_line: int) -> list[NDArray[Any]]:
    text = read.text
    pieces = split_newlines(text)
    bare = pieces.stripped(read.words)
    lines = pieces.where(bare.starts < bare.ends)
    count, newlines = lines.counts(), text.per_row(text.places("\n"))
    ended = (text.flags[lines.ends - 1] & LINE_END) != 0
    again = np.where(repeated(text, lines), lines.lengths(), 0)
    return [
        count,
        share(sums_between(ended, lines.offsets), count),
        share(sums_between(lines.lengths() <= short_line, lines.offsets), count),
        share(sums_between(again, lines.offsets), text.lengths() - newlines),
        share(newlines, words.counts()),
    ]
