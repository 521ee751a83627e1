"""How much of a document repeats itself."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.stage import Filter, Scorer, threshold
from filters.text import settings
from filters.text.lines import Pieces, repeated, split_newline_runs, split_paragraphs
from filters.text.memo import Read, measured
from filters.text.repeats import repeated_characters, repeats, top_characters
from filters.text.rules import Rule, as_columns, first_broken, share
from filters.text.words import Words, sums_between

_TOP = (2, 3, 4)
_DUPLICATED = (5, 6, 7, 8, 9, 10)
_MEASURES = (
    "duplicate_paragraphs",
    "duplicate_paragraph_characters",
    "duplicate_lines",
    "duplicate_line_characters",
    *(f"top_{n}_gram" for n in _TOP),
    *(f"duplicate_{n}_grams" for n in _DUPLICATED),
)
_PREFIX = "gopher_"
_RULES = (
    Rule("gopher_characters", "at_least", "characters_at_least", "empty"),
    *(Rule(_PREFIX + name, "at_most", f"{name}_at_most", name) for name in _MEASURES),
)


class GopherRepetition(Filter):
    """Drop documents too much of which is said more than once: paragraphs, lines, or runs of words.

    Source: the repetition filters of MassiveText, Rae et al. (2021), arXiv:2112.11446, table A1. As in datatrove, the
    shares of characters are of all characters of the text; of an n-gram that is repeated, each occurrence but the first
    counts, and none that overlaps one that counts. In an empty text nothing is repeated: it is dropped as `empty`.
    """

    name: ClassVar[str] = "gopher_repetition"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("gopher_characters", pa.int64()),  # of the text
        *(pa.field(_PREFIX + name, pa.float32()) for name in _MEASURES),  # shares, 0..1; the top n-grams' may exceed 1
    )

    column: settings.Column = settings.text_column()
    unspaced: settings.Unspaced = settings.unspaced("runs")
    characters_at_least: int | None = threshold(1, "characters; null keeps the empty text", ge=0)
    duplicate_paragraphs_at_most: float | None = threshold(0.3, "share of paragraphs", ge=0, le=1)
    duplicate_paragraph_characters_at_most: float | None = threshold(0.2, "share of characters", ge=0, le=1)
    duplicate_lines_at_most: float | None = threshold(0.3, "share of lines", ge=0, le=1)
    duplicate_line_characters_at_most: float | None = threshold(0.2, "share of characters", ge=0, le=1)
    top_2_gram_at_most: float | None = threshold(0.2, "share of characters", ge=0)
    top_3_gram_at_most: float | None = threshold(0.18, "share of characters", ge=0)
    top_4_gram_at_most: float | None = threshold(0.16, "share of characters", ge=0)
    duplicate_5_grams_at_most: float | None = threshold(0.15, "share of characters", ge=0, le=1)
    duplicate_6_grams_at_most: float | None = threshold(0.14, "share of characters", ge=0, le=1)
    duplicate_7_grams_at_most: float | None = threshold(0.13, "share of characters", ge=0, le=1)
    duplicate_8_grams_at_most: float | None = threshold(0.12, "share of characters", ge=0, le=1)
    duplicate_9_grams_at_most: float | None = threshold(0.11, "share of characters", ge=0, le=1)
    duplicate_10_grams_at_most: float | None = threshold(0.1, "share of characters", ge=0, le=1)

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is judged."""
        return (self.column,)

    def open(self) -> Scorer:
        """Return a function that measures texts; a null text cannot be measured."""

        def score(table: pa.Table) -> list[pa.Array]:
            texts = table[self.column].combine_chunks()
            arrays = measured(texts, lambda read: _measure(read, read.words_as(self.unspaced)))
            return as_columns(self.writes, arrays, texts.is_valid())

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return the reason of the first rule that a document breaks, in the order of the settings."""
        return first_broken(self, _RULES, scores)


def _measure(read: Read, words: Words) -> list[NDArray[Any]]:
    length = read.text.lengths()
    paragraphs, paragraph_characters = _said_again(read, split_paragraphs(read.text, read.words), length)
    lines, line_characters = _said_again(read, split_newline_runs(read.text), length)
    runs = []
    for found in repeats(words, max(_DUPLICATED)):
        count = top_characters if found.n in _TOP else repeated_characters
        runs.append(share(count(words, found), length))
    return [length, paragraphs, paragraph_characters, lines, line_characters, *runs]


def _said_again(
    read: Read, pieces: Pieces, length: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return float64[rows], float64[rows]: the share of pieces that were there before, and of the text's characters."""
    again = repeated(read.text, pieces)
    characters = sums_between(np.where(again, pieces.lengths(), 0), pieces.offsets)
    return share(sums_between(again, pieces.offsets), pieces.counts()), share(characters, length)
