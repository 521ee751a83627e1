"""What every match of a regular expression has, read off the expression itself: how long, which characters."""

import re
from dataclasses import dataclass, replace
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import regex  # type: ignore[import-untyped]

ASCII = 128
DIGITS_BEYOND = 1 << ASCII
"""The bit of a set of characters that stands for the decimal digits beyond ASCII."""
OUTSIDE = 2 << ASCII
"""The bit that stands for every other character beyond ASCII."""
EVERYTHING = (OUTSIDE << 1) - 1
ALL_ASCII = DIGITS_BEYOND - 1


def _set_of(characters: str) -> int:
    return sum(1 << ord(c) for c in set(characters))


FOLDED_FROM_OUTSIDE = _set_of("kKsSiI")
"""The ASCII letters that some character beyond ASCII equals where case is ignored."""
PROBES = {
    "digit": ("0-9", _set_of("0123456789") | DIGITS_BEYOND),
    "at": ("@", _set_of("@")),
    "dot": (".", _set_of(".")),
    "dash": ("\\-", _set_of("-")),
    "colon": (":", _set_of(":")),
    "slash": ("/", _set_of("/")),
    "quote": ("\"'", _set_of("\"'")),
}
"""Kinds of characters that are counted in a text, as a class of an expression and as a set."""
FARTHEST_LOOK = 64
"""Characters beyond a match that a pattern may look at and still be run on words."""


@dataclass(frozen=True)
class Need:
    """What every match of a pattern, or of a part of one, has."""

    shortest: int
    """Characters at least."""
    counts: tuple[int, ...]
    """Characters at least of each of PROBES."""
    letters: int
    """Which characters it may hold: bit i for ASCII i, OUTSIDE for all others."""
    look: int = 0
    """How many characters after its end it may look at."""


NOTHING = Need(0, (0,) * len(PROBES), 0)


ANYTHING = Need(0, NOTHING.counts, EVERYTHING, FARTHEST_LOOK + 1)
"""Of an expression that is not understood here: it runs on every text, whole."""


def needs(pattern: str, flags: int) -> Need:
    """Read off what a match of a pattern has; flags as of `re`, which `regex` shares."""
    try:
        tree = parser.parse(pattern, flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE))
    except re.error:  # what `regex` alone understands: flags within an expression, classes of Unicode properties
        return ANYTHING
    return _sequence(tree, bool(tree.state.flags & re.IGNORECASE))


def _sequence(tree: Any, ignoring_case: bool) -> Need:
    total = NOTHING
    for operation, argument in tree:
        part = _part(operation, argument, ignoring_case)
        total = Need(
            total.shortest + part.shortest,
            tuple(a + b for a, b in zip(total.counts, part.counts, strict=True)),
            total.letters | part.letters,
            max(total.look, part.look),
        )
    return total


def _part(operation: Any, argument: Any, ignoring_case: bool) -> Need:
    if operation in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
        return _repeated(argument[0], _sequence(argument[2], ignoring_case))
    if operation is code.BRANCH:
        return _any_of([_sequence(branch, ignoring_case) for branch in argument[1]])
    if operation is code.SUBPATTERN:
        group_ignores = (ignoring_case or bool(argument[1] & re.IGNORECASE)) and not argument[2] & re.IGNORECASE
        return _sequence(argument[3], group_ignores)
    if operation is code.ATOMIC_GROUP:
        return _sequence(argument, ignoring_case)
    if operation in WITHOUT_WIDTH:
        return replace(NOTHING, look=_look(operation, argument, ignoring_case))
    return _character(operation, argument, ignoring_case)


WITHOUT_WIDTH = (code.AT, code.ASSERT, code.ASSERT_NOT, code.GROUPREF)
"""What matches nothing by itself; what a group holds that is referred to is among the letters already."""


def _repeated(times: int, part: Need) -> Need:
    return Need(times * part.shortest, tuple(times * count for count in part.counts), part.letters, part.look)


def _any_of(branches: list[Need]) -> Need:
    letters = look = 0
    for branch in branches:
        letters, look = letters | branch.letters, max(look, branch.look)
    counts = zip(*(branch.counts for branch in branches), strict=True)
    return Need(min(b.shortest for b in branches), tuple(min(column) for column in counts), letters, look)


def _look(operation: Any, argument: Any, ignoring_case: bool) -> int:
    """Return how far beyond where it stands a condition looks."""
    if operation not in (code.ASSERT, code.ASSERT_NOT):
        return int(operation is code.AT)
    direction, inside = argument
    farthest = int(inside.getwidth()[1]) + _sequence(inside, ignoring_case).look
    return min(farthest, FARTHEST_LOOK + 1) if direction > 0 else 0


def _character(operation: Any, argument: Any, ignoring_case: bool) -> Need:
    """Return what one character that matches a literal or a class has."""
    letters = _letters(operation, argument)
    if letters is None:  # an operation that is not known here: anything
        return ANYTHING
    if ignoring_case:
        letters = _both_cases(letters)
    return Need(1, tuple(int(bool(letters) and not letters & ~kind) for _, kind in PROBES.values()), letters)


def _letters(operation: Any, argument: Any) -> int | None:
    if operation is code.LITERAL:
        return _one(argument)
    if operation is code.NOT_LITERAL:
        return EVERYTHING & ~(_one(argument) & ALL_ASCII)
    if operation is code.ANY:
        return EVERYTHING
    if operation is not code.IN:
        return None
    negated = argument[0][0] is code.NEGATE
    union = 0
    for kind, value in argument[1:] if negated else argument:
        union |= _member(kind, value)
    return EVERYTHING & ~(union & ALL_ASCII) if negated else union


def _one(codepoint: int) -> int:
    return _span(codepoint, codepoint)


def _span(first: int, last: int) -> int:
    inside = sum(1 << c for c in range(first, min(last, ASCII - 1) + 1))
    return inside | (OUTSIDE | DIGITS_BEYOND if last >= ASCII else 0)


def _member(kind: Any, value: Any) -> int:
    if kind is code.LITERAL:
        return _one(value)
    if kind is code.RANGE:
        return _span(*value)
    inside, beyond = CATEGORIES[value]
    return sum(1 << c for c in range(ASCII) if regex.match(inside, chr(c))) | beyond


CATEGORIES = {
    code.CATEGORY_DIGIT: (r"\d", DIGITS_BEYOND),
    code.CATEGORY_NOT_DIGIT: (r"\D", OUTSIDE),
    code.CATEGORY_SPACE: (r"\s", OUTSIDE),
    code.CATEGORY_NOT_SPACE: (r"\S", OUTSIDE | DIGITS_BEYOND),
    code.CATEGORY_WORD: (r"\w", OUTSIDE | DIGITS_BEYOND),
    code.CATEGORY_NOT_WORD: (r"\W", OUTSIDE),
}
"""Which ASCII characters a category holds, as `regex` has it (U+001C is a blank to `re` alone), and which others."""


def _both_cases(letters: int) -> int:
    """Add what matches where case is ignored: the other case, and the Kelvin sign, long s and dotted I."""
    if letters & OUTSIDE:
        letters |= FOLDED_FROM_OUTSIDE
    if letters & FOLDED_FROM_OUTSIDE:
        letters |= OUTSIDE
    for c in range(ASCII):
        if letters >> c & 1:
            letters |= 1 << ord(chr(c).swapcase())
    return letters
