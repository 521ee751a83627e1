"""All pairs of documents that are alike, by comparing sets of strings: no hash, no signature, none of our own code."""

import random
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import sparse

from curate.dedupe.folded import WITHOUT_SPACES

Pairs = dict[tuple[int, int], float]
"""(i, j) with i < j -> Jaccard similarity."""


def word_runs(text: str, n: int = 5) -> frozenset[str]:
    """Return a document's word n-grams, as its words joined by blanks."""
    words = unicodedata.normalize("NFKC", text).translate(_letters()).split()
    return frozenset(" ".join(words[i : i + n]) for i in range(max(1, len(words) - n + 1))) if words else frozenset()


def alike(sets: Sequence[frozenset[str]], at_least: float) -> Pairs:
    """Return all pairs of that similarity or more, by the product of the matrix of sets and shingles with itself."""
    numbers: dict[str, int] = {}
    columns = np.array([numbers.setdefault(run, len(numbers)) for members in sets for run in members], np.int32)
    sizes = np.array([len(members) for members in sets])
    rows = np.concatenate([[0], np.cumsum(sizes)])
    matrix = sparse.csr_matrix((np.ones(len(columns), np.int32), columns, rows), (len(sets), len(numbers)))
    transposed = matrix.T.tocsr()
    found: Pairs = {}
    for start in range(0, len(sets), 200):
        shared = (matrix[start : start + 200] @ transposed).tocoo()
        i, j = shared.row + start, shared.col
        jaccard = shared.data / (sizes[i] + sizes[j] - shared.data)
        chosen = (i < j) & (jaccard >= at_least)
        found |= zip(zip(i[chosen].tolist(), j[chosen].tolist(), strict=True), jaccard[chosen].tolist(), strict=True)
    return found


def planted(texts: Sequence[str], count: int, seed: int = 7) -> list[str]:
    """Return edited copies: words exchanged at a rate of up to 6 %, ends cut, or other documents' sentences put in."""
    draw = random.Random(seed)
    made = []
    for kind, text in zip(range(count), draw.choices([t for t in texts if len(t) > 200], k=count), strict=True):
        words = text.split(" ")
        if kind % 3 == 0:
            rate = draw.uniform(0.001, 0.06)
            words = [draw.choice(words) if draw.random() < rate else word for word in words]
        elif kind % 3 == 1:
            words = words[: max(20, round(len(words) * draw.uniform(0.75, 1)))]
        else:
            at, other = draw.randrange(len(words)), draw.choice(texts).split(" ")
            words[at:at] = other[: round(len(words) * draw.uniform(0, 0.3))]
        made.append(" ".join(words))
    return made


@lru_cache(1)
def _letters() -> dict[int, str | None]:
    """Say for each code point what stands for it: nothing, a blank, or itself in lower case."""
    said: dict[int, str | None] = {}
    for point in range(0x110000):
        character = chr(point)
        kind = unicodedata.category(character)
        if kind == "Cf":
            said[point] = None
        elif kind[0] not in "LMN":
            said[point] = " "
        elif any(first <= point <= last for first, last in WITHOUT_SPACES):
            said[point] = f" {character} "
        elif len(character.casefold()) == 1 and character.casefold() != character:
            said[point] = character.casefold()
    return said
