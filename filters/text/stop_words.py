"""The words that prose of a language cannot do without, and how many of them a text has.

English has the eight of Rae et al. (2021). The other lists are this project's own, of eight words that are everywhere
in the language (two scripts or spellings: the words of both), in small letters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Self

import numpy as np
from numpy.typing import NDArray

from curate.errors import StageError, nearest
from filters.text.exceptions import Lexicon
from filters.text.words import Words

FROM_COLUMN = "column"
UNKNOWN = frozenset({"", "und"})
DEFAULT = "en"
"""Whose words are asked for where a language is not known."""


@lru_cache(maxsize=1)
def lists() -> dict[str, tuple[str, ...]]:
    """Return the lists of stop_words.txt: a language a line, its code first."""
    lines = files(__package__).joinpath("stop_words.txt").read_text("utf-8").splitlines()
    return {code: tuple(dict.fromkeys(words)) for code, *words in map(str.split, lines)}


def code_of(language: str | None) -> str:
    """Return a language's code without script or country, `en` where it is not known."""
    code = (language or "").replace("_", "-").partition("-")[0].lower()
    return DEFAULT if code in UNKNOWN else code


@dataclass(frozen=True)
class StopWords:
    """The lists that a stage asks for."""

    codes: tuple[str, ...]
    lexicon: Lexicon
    member: NDArray[np.int64]
    """int64[words, codes]: 1 where a word is in a language's list."""

    @classmethod
    def of(cls, language: str, own: Mapping[str, Sequence[str]]) -> Self:
        """Take the list of a language, or all lists where rows say themselves what they are written in.

        Raises:
            StageError: there is no list for the language.
        """
        known = {**lists(), **{code_of(code): tuple(some) for code, some in own.items()}}
        if language != FROM_COLUMN:
            code = code_of(language)
            if code not in known:
                raise StageError(
                    f"no stop words for the language '{language}'.{nearest(language, tuple(known))} Give a list "
                    f"under `stop_words`, or say `language: {FROM_COLUMN}` to judge each row by its own"
                )
            known = {code: known[code]}
        words = sorted({word for some in known.values() for word in some})
        member = np.array([[word in some for some in known.values()] for word in words], np.int64)
        return cls(tuple(known), Lexicon.of(words), member.reshape(len(words), len(known)))

    def count(self, words: Words) -> NDArray[np.int64]:
        """Return int64[rows, codes]: how many distinct words of each list a row has."""
        which = self.lexicon.find(words.hashes)
        found = which >= 0
        present = np.zeros((words.slice.rows, len(self.member)), np.int64)
        present[words.slice.row_of(words.starts[found]), which[found]] = 1
        return present @ self.member

    def choose(self, counts: NDArray[np.int64], languages: Sequence[str | None]) -> NDArray[np.float64]:
        """Return float64[n]: of each row the count by its language's list, not-a-number where there is no list."""
        place = {code: index for index, code in enumerate(self.codes)}
        which = np.array([place.get(code_of(language), -1) for language in languages], np.int64)
        if len(which) == 0:
            return np.zeros(0)
        return np.where(which >= 0, counts[np.arange(len(which)), which], np.nan)
