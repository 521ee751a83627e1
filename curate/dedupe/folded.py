"""Text as numbers, folded: case, compatibility forms, punctuation and white space no longer tell two texts apart.

A text is brought to Unicode's form NFKC. Of its characters, letters, marks and numbers stay, each in lower case (simple
case folding: a letter whose folding would be two stays as it is); invisible format characters and variation selectors
go; all others separate words. Scripts that are written without spaces (Han, kana, Bopomofo, Thai, Lao, Khmer, Burmese,
Tai) have no words that could be told without a dictionary: there, each character is a word.

What a character is depends on Python's own `unicodedata`; between versions only characters new in Unicode differ.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SEPARATOR = 0
OWN = 1 << 24
"""Added to the code point of a character that is a word of its own."""
PIECE = 1 << 18
"""Characters read at once: what is computed of them stays in the cache, and a text of any length in memory."""
_DROPPED = 0xFFFFFFFF
_CODE_POINTS = 0x110000
_WITHOUT_SPACES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19FF),  # Tai Le, New Tai Lue, Khmer symbols
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x3005, 0x3007),  # iteration mark, closing mark and zero of Han
    (0x3041, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),  # more Bopomofo and Katakana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),  # more Burmese
    (0xAA60, 0xAADF),  # more Burmese, Tai Viet
    (0xF900, 0xFAFF),  # more Han
    (0x1AFF0, 0x1B16F),  # more kana
    (0x20000, 0x3FFFF),  # more Han
)


@dataclass(frozen=True)
class Block:
    """Pieces of texts, one after another, a separator before the first and after each."""

    codes: NDArray[np.uint32]
    """SEPARATOR, or the folded code point of a letter, mark or number."""
    begins: NDArray[np.int64]
    """int64[pieces + 1]: where in `codes` each piece begins; the last value is the length."""
    texts: NDArray[np.int64]
    """int64[pieces]: which text each is of."""


def blocks(texts: Sequence[str | None], *, digits: bool = False) -> Iterator[Block]:
    """Fold texts, a few hundred thousand characters at a time; `digits` turns every digit to 0. Null is as empty.

    A text longer than that is cut behind a blank or line break; a word longer than that is taken for several.
    """
    pieces: list[str] = []
    owners: list[int] = []
    held = 0
    for number, text in enumerate(texts):
        for piece in _pieces(_normal(text or "")):
            if pieces and held + len(piece) > PIECE:
                yield _folded(pieces, owners, _table(digits))
                pieces, owners, held = [], [], 0
            pieces.append(piece)
            owners.append(number)
            held += len(piece) + 1
    if pieces:
        yield _folded(pieces, owners, _table(digits))


def _normal(text: str) -> str:
    # Asking is 15 times as quick as normalising, and most texts of most languages are as they should be.
    if text.isascii() or unicodedata.is_normalized("NFKC", text):
        return text
    return unicodedata.normalize("NFKC", text)


def _pieces(text: str) -> Iterator[str]:
    at = 0
    while len(text) - at > PIECE:
        blank = max(text.rfind(mark, at, at + PIECE) for mark in " \n")
        cut = blank + 1 if blank > at else at + PIECE
        yield text[at:cut]
        at = cut
    yield text[at:]


def _folded(pieces: list[str], owners: list[int], table: NDArray[np.uint32]) -> Block:
    joined = "\n".join(["", *pieces, ""])
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    codes = table.take(points, mode="wrap")  # every index is in range, and this mode is the one that checks nothing
    begins = 1 + np.concatenate([[0], np.cumsum([len(piece) + 1 for piece in pieces])])
    dropped = codes == _DROPPED
    if dropped.any():
        begins -= np.searchsorted(np.flatnonzero(dropped), begins)
        codes = codes[~dropped]
    return Block(codes, begins, np.array(owners, np.int64))


@lru_cache(2)
def _table(digits: bool) -> NDArray[np.uint32]:
    """Return uint32[0x110000]: what each code point is folded to."""
    table = np.array([_fold(chr(point), digits) for point in range(_CODE_POINTS)], np.uint32)
    points = np.arange(_CODE_POINTS)
    kept = (table != SEPARATOR) & (table != _DROPPED)
    for first, last in _WITHOUT_SPACES:
        table[kept & (points >= first) & (points <= last)] += OWN
    return table


def _fold(character: str, digits: bool) -> int:
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return _DROPPED
    if category[0] not in "LMN":
        return SEPARATOR
    if digits and category == "Nd":
        return ord("0")
    small = next((s for s in (character.casefold(), character.lower()) if len(s) == 1), character)
    return ord(small)
