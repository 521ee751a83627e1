"""The lines that C4 keeps of a page, and what it drops a page for."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from filters.text.classes import PUNCTUATION, SENTENCE_END
from filters.text.lines import Pieces
from filters.text.memo import Read
from filters.text.slices import Slice
from filters.text.words import sums_between

Mask = NDArray[np.bool_]

CITATION = r"\[\d*\]|\[edit\]|\[citation needed\]"
POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
LOREM_IPSUM, JAVASCRIPT, BRACKET = "lorem ipsum", "javascript", "{"
_ENDS = np.array([ord(c) for c in ".?!\"'"], np.uint32)


class LineRules(BaseModel):
    """Which lines of a page C4 takes out. Settings of the stages that ask."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    column: Literal["text", "caption"] = Field("text", description="column that is judged: text or caption")
    ended: bool = Field(default=True, description="take out lines that end with none of . ! ? \" ' or end with ...")
    words_per_line: int | None = Field(3, ge=1, description="take out lines with fewer words; null: none")
    longest_word: int | None = Field(
        1000, ge=1, description="take out lines with a longer word, in characters; null: none"
    )
    javascript: bool = Field(default=True, description="take out lines that name JavaScript")
    policies: bool = Field(default=True, description="take out lines on terms of use, privacy or cookies")
    citations: bool = Field(default=True, description="take out marks like [1], [edit], [citation needed] first")

    def cleaned(self, texts: pa.Array) -> pa.Array:
        """Return the texts without citation marks, where they are to go."""
        return pc.replace_substring_regex(texts, CITATION, "") if self.citations else texts


@dataclass(frozen=True)
class Judged:
    """The lines of a slice: bool[m] each."""

    lines: Pieces
    """Without white space at their ends."""
    kept: Mask
    lorem_ipsum: Mask
    """Lines that stay until these are looked for, and have it."""
    brackets: Mask

    def total(self, values: NDArray[np.int64] | Mask) -> NDArray[np.int64]:
        """Return int64[rows], the sum of a value of each line."""
        return sums_between(values, self.lines.offsets)


def judge(read: Read, rules: LineRules) -> Judged:
    """Judge lines in the order of C4's own code: signs of a bad page are looked for in lines that stay till then."""
    text, lines = read.text, read.lines.stripped(read.words)
    passes = _shaped(read, lines, rules)
    folded = _folded(text)
    lorem = passes & _with(folded, lines, (LOREM_IPSUM,))
    passes &= ~_with(folded, lines, (JAVASCRIPT,)) if rules.javascript else True
    brackets = passes & _with(folded, lines, (BRACKET,))
    passes &= ~_with(folded, lines, POLICIES) if rules.policies else True
    return Judged(lines, passes, lorem, brackets)


def sentences(read: Read, lines: Pieces) -> NDArray[np.int64]:
    """Return int64[m], the sentences of each line, as spaCy's sentencizer counts them.

    A sentence begins with a line, and with the first word that is no punctuation behind a sentence's end.
    """
    words = read.words
    ends = (words.lengths == 1) & ((words.any & SENTENCE_END) != 0)
    plain = np.flatnonzero(~ends & ((words.all & PUNCTUATION) == 0))
    passed = np.concatenate([[0], np.cumsum(ends, dtype=np.int64)])
    first, after = np.searchsorted(words.starts, lines.starts), np.searchsorted(words.starts, lines.ends)
    line = np.searchsorted(first, plain, side="right") - 1
    before = passed[first[line]]
    same = np.zeros(len(plain), np.bool_)
    same[1:] = line[1:] == line[:-1]
    before[same] = passed[plain[np.flatnonzero(same) - 1]]
    begun = np.bincount(line[passed[plain] > before], minlength=len(first))
    return np.where(first < after, begun + 1, 0)


def _shaped(read: Read, lines: Pieces, rules: LineRules) -> Mask:
    """Tell which lines end well, have enough words, and none too long; words are what white space parts."""
    points, chunks = read.text.points, read.chunks
    first, after = np.searchsorted(chunks.starts, lines.starts), np.searchsorted(chunks.starts, lines.ends)
    passes = np.ones(len(lines.starts), np.bool_)
    if rules.longest_word is not None:
        long = np.flatnonzero(chunks.ends - chunks.starts > rules.longest_word)
        passes &= np.searchsorted(long, first) == np.searchsorted(long, after)
    if rules.ended:
        passes &= _ended(points, lines)
    return passes & (after - first >= (rules.words_per_line or 0))


def _ended(points: NDArray[np.uint32], lines: Pieces) -> Mask:
    """Tell which lines end with punctuation that ends a sentence, three full stops left out."""
    full = lines.starts < lines.ends
    ended = np.zeros(len(full), np.bool_)
    ended[full] = np.isin(points[lines.ends[full] - 1], _ENDS)
    three = np.flatnonzero(lines.lengths() >= 3)  # noqa: PLR2004 - full stops
    last = lines.ends[three]
    dots = (points[last - 1] == ord(".")) & (points[last - 2] == ord(".")) & (points[last - 3] == ord("."))
    ended[three[dots]] = False
    return ended


def _folded(text: Slice) -> bytes:
    """Return one byte a code point, small letters for A to Z: the phrases are ASCII, and what is not becomes 0."""
    ascii_only = np.where(text.points < 128, text.points, 0).astype(np.uint8)  # noqa: PLR2004 - ASCII
    return ascii_only.tobytes().lower()


def _with(folded: bytes, lines: Pieces, phrases: tuple[str, ...]) -> Mask:
    """Tell which lines hold one of some phrases."""
    found = np.zeros(len(lines.starts), np.bool_)
    for phrase in phrases:
        places = np.array(_places(folded, phrase.encode()), np.int64)
        line = np.searchsorted(lines.starts, places, side="right") - 1
        found[line[places < lines.ends[line]]] = True
    return found


def _places(folded: bytes, phrase: bytes) -> list[int]:
    places, at = [], folded.find(phrase)
    while at >= 0:
        places.append(at)
        at = folded.find(phrase, at + len(phrase))
    return places
