"""How many words a caption has."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curate.stage import Filter, Scorer, threshold

# Scripts written without spaces: each character counts as a word, as word processors count them.
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
# \x{2019} is the typographic apostrophe.
WORD = r"[\p{L}\p{M}\p{N}]+(?:['\x{2019}-][\p{L}\p{M}\p{N}]+)*"


class CaptionWords(Filter):
    """Drop samples whose caption has fewer than `at_least` or more than `at_most` words.

    A word is a run of letters, marks and digits, with apostrophes and hyphens inside it; a Chinese character or a
    kana is a word of its own. Source: the text rule of DataComp's basic filtering, Gadre et al. (2023),
    arXiv:2304.14108, which asks for more than two words; its rule on characters is not implemented.
    """

    name: ClassVar[str] = "caption_words"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("caption_words", pa.int32()),)  # words

    at_least: int | None = threshold(3, "words", ge=0)
    at_most: int | None = threshold(None, "words", ge=0)

    def open(self) -> Scorer:
        """Return a function that counts words; a null caption has none."""
        return lambda table: [_count_words(table["caption"])]


def _count_words(caption: pa.ChunkedArray) -> pa.Array:
    apart = pc.replace_substring_regex(pc.fill_null(caption, ""), UNSPACED, " x ")
    return pc.count_substring_regex(apart, WORD).cast(pa.int32())
