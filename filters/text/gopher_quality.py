"""Whether a document's words and lines are those of prose."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from curate.stage import Filter, Scorer, threshold
from filters.text import settings
from filters.text.classes import LETTER, SYMBOL, UNSPACED
from filters.text.memo import Read, measured
from filters.text.rules import Rule, as_columns, first_broken, share
from filters.text.slices import Positions
from filters.text.stop_words import FROM_COLUMN, StopWords
from filters.text.words import Words

_RULES = (
    Rule("gopher_words", "at_least", "words_at_least", "few_words"),
    Rule("gopher_words", "at_most", "words_at_most", "many_words"),
    Rule("gopher_word_length", "at_least", "word_length_at_least", "short_words"),
    Rule("gopher_word_length", "at_most", "word_length_at_most", "long_words"),
    Rule("gopher_hashes", "at_most", "hashes_at_most", "hashes"),
    Rule("gopher_ellipses", "at_most", "ellipses_at_most", "ellipses"),
    Rule("gopher_bullet_lines", "at_most", "bullet_lines_at_most", "bullet_lines"),
    Rule("gopher_ellipsis_lines", "at_most", "ellipsis_lines_at_most", "ellipsis_lines"),
    Rule("gopher_alphabetic_words", "at_least", "alphabetic_words_at_least", "few_alphabetic_words"),
    Rule("gopher_stop_words", "at_least", "stop_words_at_least", "few_stop_words"),
)
_BULLETS = np.array([ord("•"), ord("-")], np.uint32)
_DOT, _ELLIPSIS = ord("."), ord("…")


class GopherQuality(Filter):
    """Drop documents that are too short or long, or whose words, signs and lines are not those of prose.

    Source: the quality filters of MassiveText, Rae et al. (2021), arXiv:2112.11446, section A.1.1. As in datatrove,
    words are counted without those of punctuation alone, signs are words of their own, and stop words count in small
    letters only. A share of nothing (a text without words or lines) is null and drops nothing; so is the mean length of
    words in a text that mostly has no spaces between them, read by characters.
    """

    name: ClassVar[str] = "gopher_quality"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("gopher_words", pa.int32()),  # words that are more than punctuation
        pa.field("gopher_word_length", pa.float32()),  # characters, mean
        pa.field("gopher_hashes", pa.float32()),  # hash signs / words
        pa.field("gopher_ellipses", pa.float32()),  # ellipses / words
        pa.field("gopher_bullet_lines", pa.float32()),  # share of lines
        pa.field("gopher_ellipsis_lines", pa.float32()),  # share of lines
        pa.field("gopher_alphabetic_words", pa.float32()),  # share of words
        pa.field("gopher_stop_words", pa.int32()),  # distinct ones of the language's list; null where there is no list
    )

    column: settings.Column = settings.text_column()
    unspaced: settings.Unspaced = settings.unspaced("characters")
    language: str = Field(
        "en",
        description=f"whose stop words: a language's code, or `{FROM_COLUMN}`: each row's by its column `language`",
    )
    stop_words: dict[str, tuple[str, ...]] = Field(
        {}, description="stop words by language code, in place of the lists that come with Curate"
    )
    words_at_least: int | None = threshold(50, "words", ge=0)
    words_at_most: int | None = threshold(100_000, "words", ge=0)
    word_length_at_least: float | None = threshold(3, "characters, mean", ge=0)
    word_length_at_most: float | None = threshold(10, "characters, mean", ge=0)
    hashes_at_most: float | None = threshold(0.1, "hash signs a word", ge=0)
    ellipses_at_most: float | None = threshold(0.1, "ellipses a word", ge=0)
    bullet_lines_at_most: float | None = threshold(0.9, "share of lines that begin with a bullet or dash", ge=0, le=1)
    ellipsis_lines_at_most: float | None = threshold(0.3, "share of lines that end with an ellipsis", ge=0, le=1)
    alphabetic_words_at_least: float | None = threshold(0.8, "share of words with a letter", ge=0, le=1)
    stop_words_at_least: int | None = threshold(2, "distinct stop words", ge=0)

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is judged, and `language` where stop words go by it."""
        return (self.column, *(("language",) if self.language == FROM_COLUMN else ()))

    def open(self) -> Scorer:
        """Return a function that measures texts; a null text cannot be measured.

        Raises:
            StageError: there is no list of stop words for the language.
        """
        stop = StopWords.of(self.language, self.stop_words)

        def score(table: pa.Table) -> list[pa.Array]:
            texts = table[self.column].combine_chunks()
            arrays = measured(texts, lambda read: _measure(read, read.words_as(self.unspaced), stop))
            (*plain, by_language) = arrays
            codes = table["language"].to_pylist() if self.language == FROM_COLUMN else [self.language] * len(table)
            return as_columns(self.writes, [*plain, stop.choose(by_language, codes)], texts.is_valid())

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return the reason of the first rule that a document breaks, in the order of the settings."""
        return first_broken(self, _RULES, scores)


def _measure(read: Read, words: Words, stop: StopWords) -> list[NDArray[Any]]:
    text, count = read.text, words.counts()
    real = (words.all & SYMBOL) == 0
    real_count = words.per_row(real)
    apart = words.per_row((words.any & UNSPACED) == 0)
    length = share(words.per_row(np.where(real, words.lengths, 0)), real_count)
    if words is read.characters:
        length[apart * 2 < count] = np.nan
    lines = read.lines.counts()
    bullets, trailing = _marked_lines(read)
    hashes, ellipses = text.per_row(text.places("#")), _ellipses(read)
    alphabetic = words.per_row((words.any & LETTER) != 0)
    return [
        real_count, length, share(hashes, count), share(ellipses, count), share(bullets, lines), share(trailing, lines),
        share(alphabetic, count), stop.count(words),
    ]  # fmt: skip


def _ellipses(read: Read) -> NDArray[np.int64]:
    """Return int64[rows]: signs of three dots, and threes of full stops that stand together."""
    text = read.text
    starts, lengths = _dot_runs(text.places("."), text.starts)
    return text.per_row(text.places("…")) + text.per_row(starts, lengths // 3)


def _dot_runs(places: Positions, row_starts: Positions) -> tuple[Positions, NDArray[np.int64]]:
    """Return where runs of neighbouring places begin and how long they are; a run ends with its row."""
    new = np.ones(len(places), np.bool_)
    new[1:] = places[1:] != places[:-1] + 1
    new |= np.isin(places, row_starts)
    firsts = np.flatnonzero(new)
    return places[firsts], np.diff(np.append(firsts, len(places)))


def _marked_lines(read: Read) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return int64[rows], int64[rows]: lines that begin with a bullet, and lines that end with an ellipsis."""
    points, bare = read.text.points, read.lines.stripped(read.words)
    full = np.flatnonzero(bare.starts < bare.ends)
    starts, ends, rows = bare.starts[full], bare.ends[full], bare.rows()[full]
    bullets = np.isin(points[starts], _BULLETS)
    three = ends - starts >= 3  # noqa: PLR2004 - dots
    dots = three.copy()
    for back in (1, 2, 3):
        dots &= points[np.where(three, ends - back, starts)] == _DOT
    trailing = dots | (points[ends - 1] == _ELLIPSIS)
    return tuple(np.bincount(rows[marked], minlength=read.text.rows) for marked in (bullets, trailing))  # type: ignore[return-value]
