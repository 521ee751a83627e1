"""What each code point is: one table of bit flags over all of Unicode, looked up for a whole column at once.

Unicode's categories say what is white space, a letter or punctuation. Where words are cut goes by the classes of
spaCy's English tokenizer, widened to the letters of all scripts: english.json, whose licence stands beside it.
"""

import json
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.uint32]

CODE_POINTS = 0x110000

SPACE = np.uint32(1 << 0)  # str.isspace
BREAK = np.uint32(1 << 1)  # where str.splitlines cuts
LETTER = np.uint32(1 << 2)  # str.isalpha
MARK = np.uint32(1 << 3)  # combining marks
PUNCTUATION = np.uint32(1 << 4)  # categories P*
SYMBOL = np.uint32(1 << 5)  # punctuation, symbols and control characters: a word of these alone is no word
UNSPACED = np.uint32(1 << 6)  # scripts written without spaces between words
LINE_END = np.uint32(1 << 7)  # ends a line well, in any script
SENTENCE_END = np.uint32(1 << 8)  # ends a sentence
ALPHA = np.uint32(1 << 9)  # this and what follows: what words are cut by
LOWER = np.uint32(1 << 10)  # uncased letters too
UPPER = np.uint32(1 << 11)  # uncased letters too
DIGIT = np.uint32(1 << 12)  # 0 to 9
QUOTE = np.uint32(1 << 13)
HYPHEN = np.uint32(1 << 14)
CURRENCY = np.uint32(1 << 15)
PREFIX = np.uint32(1 << 16)  # a word of its own where a chunk begins with it
SUFFIX = np.uint32(1 << 17)  # a word of its own where a chunk ends with it
INFIX = np.uint32(1 << 18)  # a word of its own wherever it stands
STOP_AFTER = np.uint32(1 << 19)  # a full stop after it is a word of its own
RELATION = np.uint32(1 << 20)  # : < > = / between letters
JOINT = np.uint32(1 << 21)  # may cut a word in two
ACTIVE = np.uint32(1 << 22)  # a chunk that holds none of these is one word, units and exceptions aside

_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_HYPHENS = "-\u2013\u2014~"  # hyphen, en dash, em dash, tilde
_OTHER_SCRIPTS = 0x250  # where the scripts begin that are not Latin
_ELLIPSIS = "…"
_RANGES_OF_UNSPACED = (
    (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
    (0x3031, 0x3035), (0x3038, 0x303C), (0x3041, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x20000, 0x3FFFF),
)  # fmt: skip
"""Thai, Lao, Tibetan, Burmese, Khmer, Han, kana. Korean is written with spaces."""


@lru_cache(maxsize=1)
def english() -> dict[str, Any]:
    """Return what english.json holds."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("english.json").read_text("utf-8"))
    return data


@lru_cache(maxsize=1)
def flags() -> Flags:
    """Return uint32[1114112]: the flags of each code point. Takes half a second once a worker."""
    table = np.zeros(CODE_POINTS, np.uint32)
    _set_by_unicode(table)
    letters = (table & LETTER) != 0
    letters[:_OTHER_SCRIPTS] = False  # spaCy leaves out the ordinals ª and º on purpose
    marks = (table & MARK) != 0
    cased = _named("upper") ^ _named("lower")
    table[_named("letters") | letters] |= ALPHA
    table[_named("lower") | (letters & ~(_named("upper") & cased))] |= LOWER
    table[_named("upper") | (letters & ~(_named("lower") & cased))] |= UPPER
    _set_affixes(table)
    table[(table & (INFIX | HYPHEN | RELATION)) != 0] |= JOINT
    table[_of(".,+*^")] |= JOINT
    acting = (table & (PREFIX | SUFFIX | JOINT | SYMBOL)) != 0
    table[acting & ((table & SPACE) == 0) & ~marks] |= ACTIVE
    return table


def members(ranges: str) -> NDArray[np.bool_]:
    """Return bool[1114112] for ranges spelled as `41-5A 61`, hexadecimal and inclusive."""
    found = np.zeros(CODE_POINTS, np.bool_)
    for first, _, last in (piece.partition("-") for piece in ranges.split()):
        found[int(first, 16) : int(last or first, 16) + 1] = True
    return found


def character_class(name: str) -> str:
    """Return the characters of a class of english.json, as a regular expression's class spells them."""
    pieces = (piece.partition("-") for piece in english()[name].split())
    return "".join(f"\\U{first:0>8}-\\U{last or first:0>8}" for first, _, last in pieces)


@lru_cache(maxsize=16)
def _named(name: str) -> NDArray[np.bool_]:
    return members(english()[name])


def _of(text: str) -> NDArray[np.int64]:
    return np.array([ord(character) for character in text], np.int64)


def _set_by_unicode(table: Flags) -> None:
    kinds = np.array([ord(unicodedata.category(chr(point))[0]) for point in range(CODE_POINTS)], np.uint8)
    table[kinds == ord("L")] |= LETTER
    table[kinds == ord("M")] |= MARK
    table[kinds == ord("P")] |= PUNCTUATION | SYMBOL
    table[kinds == ord("S")] |= SYMBOL
    controls = [point for point in range(0xA0) if unicodedata.category(chr(point)) == "Cc"]
    table[controls] |= SYMBOL
    table[[point for point in range(CODE_POINTS) if chr(point).isspace()]] |= SPACE
    table[_of(_BREAKS)] |= BREAK
    for first, last in _RANGES_OF_UNSPACED:
        kinds_here = kinds[first : last + 1]
        table[first : last + 1][np.isin(kinds_here, _of("LMN").astype(np.uint8))] |= UNSPACED


def _set_affixes(table: Flags) -> None:
    punctuation, quotes, currency = _named("punctuation"), _named("quotes"), _named("currency")
    table[_named("line_ends")] |= LINE_END
    table[_named("sentence_ends")] |= SENTENCE_END
    table[ord("0") : ord("9") + 1] |= DIGIT
    table[quotes] |= QUOTE
    table[_of(_HYPHENS)] |= HYPHEN
    table[currency] |= CURRENCY
    table[punctuation | quotes | currency | _named("symbols")] |= PREFIX
    table[_of("§%=\u2014\u2013" + _ELLIPSIS)] |= PREFIX
    table[punctuation | quotes | _named("symbols")] |= SUFFIX
    table[_of("\u2014\u2013" + _ELLIPSIS)] |= SUFFIX
    table[_named("symbols")] |= INFIX
    table[_of(_ELLIPSIS)] |= INFIX
    table[_of(":<>=/")] |= RELATION
    table[punctuation | quotes | ((table & (LOWER | DIGIT)) != 0)] |= STOP_AFTER
    table[_of("%²-+|(?:)")] |= STOP_AFTER
