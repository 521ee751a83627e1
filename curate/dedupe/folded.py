"""Text as numbers, folded: case, compatibility forms, punctuation and white space no longer tell two texts apart.

A text is brought to Unicode's form NFKC. Of its characters, letters, marks and numbers stay, each in lower case (simple
case folding: a letter whose folding would be two stays as it is); invisible format characters and variation selectors
go; all others separate words. Scripts that are written without spaces (Han, kana, Bopomofo, Thai, Lao, Khmer, Burmese,
Tai) have no words that could be told without a dictionary: there, each character is a word.

What a character is depends on Python's own `unicodedata`; between versions only characters new in Unicode differ.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
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
_COMPATIBILITY = 0xFFFFFFFE
_CODE_POINTS = 0x110000
_ASSIGNED = ((0, 0x3FFFF), (0xE0000, 0xE01FF))
"""Code points that Unicode gives to characters; the others are private, or not given yet."""
WITHOUT_SPACES = (
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
    pieces = ((number, piece) for number, text in enumerate(texts) for piece in _pieces(_composed(text or "")))
    return _blocks(pieces, _table(digits))


def _blocks(pieces: Iterable[tuple[int, str]], table: NDArray[np.uint32]) -> Iterator[Block]:
    group: list[tuple[int, str]] = []
    held = 0
    for number, piece in pieces:
        if group and held + len(piece) > PIECE:
            yield from _normal(group, table)
            group, held = [], 0
        group.append((number, piece))
        held += len(piece) + 1
    if group:
        yield from _normal(group, table)


def _composed(text: str) -> str:
    # Asking is 15 times as quick as normalising, and most texts of most languages are as they should be.
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFKC", text)


def _normal(group: list[tuple[int, str]], table: NDArray[np.uint32]) -> Iterator[Block]:
    """Fold pieces; those with a compatibility form of a letter or symbol are brought to NFKC first, which is rare."""
    block = _folded(group, table)
    marked = np.flatnonzero(block.codes == _COMPATIBILITY)
    if not len(marked):
        yield block
        return
    within = set((np.searchsorted(block.begins, marked, "right") - 1).tolist())
    again = [(number, unicodedata.normalize("NFKC", p) if i in within else p) for i, (number, p) in enumerate(group)]
    yield from _blocks(((number, part) for number, piece in again for part in _pieces(piece)), table)


def _pieces(text: str) -> Iterator[str]:
    at = 0
    while len(text) - at > PIECE:
        blank = max(text.rfind(mark, at, at + PIECE) for mark in " \n")
        cut = blank + 1 if blank > at else at + PIECE
        yield text[at:cut]
        at = cut
    yield text[at:]


def _folded(group: list[tuple[int, str]], table: NDArray[np.uint32]) -> Block:
    joined = "\n".join(["", *(piece for _, piece in group), ""])
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    codes = table.take(points, mode="wrap")  # every index is in range, and this mode is the one that checks nothing
    begins = 1 + np.concatenate([[0], np.cumsum([len(piece) + 1 for _, piece in group])])
    dropped = codes == _DROPPED
    if dropped.any():
        begins -= np.searchsorted(np.flatnonzero(dropped), begins)
        codes = codes[~dropped]
    return Block(codes, begins, np.array([number for number, _ in group], np.int64))


@lru_cache(2)
def _table(digits: bool) -> NDArray[np.uint32]:
    """Return uint32[0x110000]: what each code point is folded to."""
    table = np.zeros(_CODE_POINTS, np.uint32)
    for first, last in _ASSIGNED:
        table[first : last + 1] = [_fold(chr(point), digits) for point in range(first, last + 1)]
    points = np.arange(_CODE_POINTS)
    kept = (table != SEPARATOR) & (table < _COMPATIBILITY)
    for first, last in WITHOUT_SPACES:
        table[kept & (points >= first) & (points <= last)] += OWN
    return table


def _fold(character: str, digits: bool) -> int:
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return _DROPPED
    normal = unicodedata.normalize("NFKC", character)
    if normal != character and any(unicodedata.category(c)[0] not in "PZ" for c in normal):
        return _COMPATIBILITY  # what it stands for is known only with its neighbours, which may join it
    if category[0] not in "LMN":
        return SEPARATOR
    if digits and category == "Nd":
        return ord("0")
    small = next((s for s in (character.casefold(), character.lower()) if len(s) == 1), character)
    return ord(small)
