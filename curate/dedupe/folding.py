"""Text folded to lower-case letters and single spaces, column by column, so that copies of it compare as equal.

What is folded is what datatrove's `simplify_text` folds: case, accents, punctuation, white space, and numbers, each of
which becomes one 0 (utils/text.py of version 0.10, with its list of punctuation). Here a sign is folded by a table of
all code points, so a batch costs a few passes of numpy. Chinese characters and kana become words of one sign each,
since no space tells their words apart.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

PUNCTUATION = "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»"  # noqa: RUF001 - what is folded
"""datatrove's list, control characters aside; all of them separate words."""
SPACE = 32
_ZERO, _NEWLINE = 48, 10
_POINTS = ".,،٫⎖⎗⎘"  # noqa: RUF001
_DROPPED, _COMPOSES, _ALONE, _DIGIT = (np.uint32(1 << bit) for bit in (31, 30, 29, 28))
_SIGN = np.uint32((1 << 21) - 1)
_TABLED = (range(0x30000), range(0xE0000, 0xE0200))
"""Outside of these nothing has a case, an accent, or is punctuation."""
_ALONE_RANGES = ((0x3041, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
                 (0x20000, 0x323AF))  # fmt: skip
_ASCII = 128


@dataclass(frozen=True)
class Folded:
    """The folded text of n rows, in one piece."""

    text: NDArray[np.uint8]
    """UTF-8; every row ends in a space at least, and what separates words is spaces."""
    rows: NDArray[np.int64]
    """int64[n + 1]: where each row begins, and where the last ends."""


def fold(column: pa.Array | pa.ChunkedArray) -> Folded:
    """Fold a text column; a null is empty."""
    texts = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    nothing, end = (pa.scalar(text, pa.large_string()) for text in ("", "\n"))
    ended = pc.binary_join_element_wise(pc.fill_null(texts.cast(pa.large_string()), nothing), end, nothing)
    raw, rows = _content(ended)
    return _fold_ascii(raw, rows) if raw.isascii() else _fold_any(ended, raw)


def _content(texts: pa.Array) -> tuple[bytes, NDArray[np.int64]]:
    """Return the bytes of all rows, and int64[n + 1], where in them each begins."""
    _, offsets, data = texts.buffers()
    rows = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if not len(rows) or data is None:
        return b"", np.zeros(len(texts) + 1, np.int64)
    return data[int(rows[0]) : int(rows[-1])].to_pybytes(), rows - rows[0]


def _fold_ascii(raw: bytes, rows: NDArray[np.int64]) -> Folded:
    text = np.frombuffer(raw.translate(_ascii()), np.uint8)
    dropped = _within_numbers(np.flatnonzero(text == _ZERO), np.frombuffer(raw, np.uint8))
    return Folded(np.delete(text, dropped) if len(dropped) else text, rows - np.searchsorted(dropped, rows))


def _fold_any(ended: pa.Array, raw: bytes) -> Folded:
    signs, found = _looked_up(raw)
    if _has(found, _COMPOSES):
        ended = pc.utf8_normalize(ended, form="NFC")
        signs, found = _looked_up(_content(ended)[0])
    lengths = pc.utf8_length(ended).to_numpy()
    rows = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
    flagged = np.flatnonzero(found > _SIGN)
    flags = found[flagged]
    found &= _SIGN
    alone = flagged[(flags & _ALONE) != 0]
    dropped = _within_numbers(flagged[(flags & _DIGIT) != 0], signs)
    dropped = np.union1d(dropped, flagged[(flags & _DROPPED) != 0])
    if len(dropped):
        found = np.delete(found, dropped)
        rows, alone = (places - np.searchsorted(dropped, places) for places in (rows, alone))
    if len(alone):
        found = _set_apart(found, alone)
        rows = rows + 2 * np.searchsorted(alone, rows)
    return _encoded(found, rows)


def _looked_up(raw: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    signs = np.frombuffer(raw.decode().encode("utf-32-le"), np.uint32)
    return signs, _table()[signs]


def _has(found: NDArray[np.uint32], flag: np.uint32) -> bool:
    return bool(np.bitwise_or.reduce(found, initial=np.uint32(0)) & flag)


def _within_numbers(digits: NDArray[np.int64], signs: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the sorted places to drop, so that one digit is left of each number; `digits` are places of digits.

    A number is a run of digits, or two of them with one decimal point or comma between: 1.2.3 are two numbers.
    """
    if not len(digits):
        return digits
    steps = np.diff(digits, prepend=digits[0] - 3)
    starts = np.flatnonzero(steps != 1)
    first = digits[starts]
    pointed = (steps[starts] == 2) & np.isin(signs[np.maximum(first - 1, 0)], [ord(point) for point in _POINTS])  # noqa: PLR2004
    order = np.arange(len(starts))
    place = order - np.maximum.accumulate(np.where(pointed, 0, order))
    fractions = first[place % 2 == 1]
    others = np.delete(digits, starts)
    return np.unique(np.concatenate([others, fractions, fractions - 1]))


def _set_apart(signs: NDArray[np.uint32], alone: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Put spaces on both sides of each sign that is a word of its own, at the places `alone`."""
    spaced = np.full(len(signs) + 2 * len(alone), SPACE, np.uint32)
    taken = np.ones(len(spaced), np.bool_)
    before = alone + 2 * np.arange(len(alone))
    taken[before] = taken[before + 2] = False
    spaced[taken] = signs
    return spaced


def _encoded(signs: NDArray[np.uint32], rows: NDArray[np.int64]) -> Folded:
    wide = np.flatnonzero(signs >= _ASCII)
    if not len(wide):
        return Folded(signs.astype(np.uint8), rows)
    text = np.frombuffer(signs.tobytes().decode("utf-32-le").encode(), np.uint8)
    letters = signs[wide]
    more = 1 + (letters >= 0x800).astype(np.int64) + (letters >= 0x10000)  # noqa: PLR2004
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(more)])
    return Folded(text, rows + before[np.searchsorted(wide, rows)])


@lru_cache(1)
def _ascii() -> bytes:
    table = _table()[:_ASCII] & _SIGN
    return bytes(table.astype(np.uint8)) + bytes(_ASCII)


@lru_cache(1)
def _table() -> NDArray[np.uint32]:
    """Return uint32[0x110000]: what each code point is folded to, and flags of what else is to be done about it."""
    table = np.arange(0x110000, dtype=np.uint32)
    joining = _joining()
    for places in _TABLED:
        table[places.start : places.stop] = [_folded(chr(place), joining) for place in places]
    for first, last in _ALONE_RANGES:
        letters = table[first : last + 1]
        letters[((letters & _SIGN) != SPACE) & ((letters & _DROPPED) == 0)] |= _ALONE
    return table


def _folded(sign: str, joining: frozenset[str]) -> int:
    """Fold one code point; surrogates, which no text has, stand for themselves."""
    lower = "σ" if sign == "ς" else sign.lower()  # noqa: RUF001
    if lower.isspace() or lower in PUNCTUATION or unicodedata.category(sign) == "Cc":
        return SPACE
    if unicodedata.category(sign) == "Nd":
        return _ZERO | int(_DIGIT)
    parts = [part for part in unicodedata.normalize("NFD", lower) if unicodedata.category(part) != "Mn"]
    if not parts:
        return int(_DROPPED)
    if len(parts) == 1:
        return ord(parts[0]) | (int(_COMPOSES) if sign in joining else 0)
    return ord(lower[0]) | (0 if unicodedata.is_normalized("NFC", sign) else int(_COMPOSES))


def _joining() -> frozenset[str]:
    """Return the signs that join those before them to one: vowel signs of Indic scripts, letters of spelled-out Hangul.

    Accents join too, but are dropped either way.
    """
    spelled = (unicodedata.decomposition(chr(place)).split() for place in _TABLED[0])
    seconds = {chr(int(parts[1], 16)) for parts in spelled if len(parts) == 2 and parts[0][0] != "<"}  # noqa: PLR2004
    hangul = map(chr, range(0x1161, 0x11C3))
    return frozenset({second for second in seconds if unicodedata.category(second) != "Mn"}.union(hangul))
