"""Chunks of text that are cut in a way of their own: contractions, abbreviations, emoticons; and units of measure."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from filters.text.classes import english
from filters.text.slices import Hashes, Positions, hashes_of

_BITS = np.uint64(48)
NONE = -1


@dataclass(frozen=True)
class Lexicon:
    """Some texts by their hashes."""

    keys: Hashes
    """uint64[m], sorted."""
    order: Positions
    """int64[m]: which of the texts each is."""
    maybe: NDArray[np.bool_]
    """bool[65536] by the first 16 bits: whether any text has them."""
    longest: int

    @classmethod
    def of(cls, texts: list[str]) -> Self:
        """Make one of distinct texts."""
        hashes = hashes_of(texts)
        order = np.argsort(hashes)
        maybe = np.zeros(1 << 16, np.bool_)
        maybe[hashes >> _BITS] = True
        return cls(hashes[order], order, maybe, max(map(len, texts)))

    def find(self, hashes: Hashes) -> Positions:
        """Return int64[n], which of the texts each hash is, or NONE."""
        found = np.full(len(hashes), NONE, np.int64)
        if len(self.keys) == 0:
            return found
        likely = np.flatnonzero(self.maybe[hashes >> _BITS])
        places = np.minimum(np.searchsorted(self.keys, hashes[likely]), len(self.keys) - 1)
        sure = self.keys[places] == hashes[likely]
        found[likely[sure]] = self.order[places[sure]]
        return found


@dataclass(frozen=True)
class Exceptions:
    """How the exceptions are cut."""

    lexicon: Lexicon
    cuts: Positions
    """int64[c]: where in an exception a word begins that is not its first, of all exceptions one behind the other."""
    counts: Positions
    """int64[m]: how many of them each exception has."""

    def cut(self, starts: Positions, which: Positions) -> Positions:
        """Return where words begin inside exceptions that stand at `starts`."""
        counts = self.counts[which]
        first = np.concatenate([[0], np.cumsum(self.counts)])[which]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(starts, counts) + self.cuts[np.repeat(first, counts) + within]


@lru_cache(maxsize=1)
def exceptions() -> Exceptions:
    """Return the exceptions of english.json."""
    words = [text.split(" ") for text in english()["exceptions"]]
    cuts = [np.cumsum([len(word) for word in some])[:-1] for some in words]
    counts = np.array([len(some) for some in cuts], np.int64)
    return Exceptions(Lexicon.of(["".join(some) for some in words]), np.concatenate(cuts).astype(np.int64), counts)


@lru_cache(maxsize=1)
def units() -> Lexicon:
    """Return the units, and dollars, that are a word of their own behind a digit."""
    return Lexicon.of([*english()["units"].split(), "US$", "C$", "A$"])
