"""Where in a text a regular expression may match, told before it runs.

A pattern of nine digits cannot match a text with four; one that never matches a blank can be run on words that hold a
digit. Both are necessary conditions, cheap to check and shared by many patterns; neither ever says no where the
expression would match.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from operator import ge

import regex  # type: ignore[import-untyped]

from filters.pii.needs import ALL_ASCII, FARTHEST_LOOK, PROBES, Need, needs

FINDERS = tuple(re.compile(f"[{kind}]") for kind, _ in PROBES.values())
ANY_DIGIT = regex.compile(r"\d")
BEYOND_DIGIT = regex.compile(r"(?V1)[\d--[0-9]]")
"""Digits as `regex`, Presidio's engine, knows them: its Unicode is newer than that of `re`."""
BEYOND = r"\x80-\U0010ffff"
RUNS = {
    "digits": "0-9",
    "numbers": r"0-9 .\-",
    "words": r"0-9A-Za-z\-\]",
    "phrases": r"0-9A-Za-z \-",
    "tokens": r"\x00-\x08\x0e-\x1f!-\x7f",
}
"""Classes of ASCII characters, smallest first, that matches stay within; all characters beyond ASCII are in each."""
MEMBERS = {name: sum(1 << c for c in range(128) if re.match(f"[{kind}]", chr(c))) for name, kind in RUNS.items()}
RAREST = ("at", "colon", "slash", "dot", "quote", "dash", "digit")


@dataclass(frozen=True)
class Screen:
    """Tells where in a text a pattern may match."""

    need: Need
    run: str | None
    """The smallest of RUNS that a match lies within; None where there is none."""
    core: str | None
    """The rarest kind of characters that a match holds."""


def screen(pattern: str, flags: int) -> Screen:
    """Make the screen of a pattern."""
    need = needs(pattern, flags)
    holds = dict(zip(PROBES, need.counts, strict=True))
    core = next((kind for kind in RAREST if holds[kind]), None)
    run = next((name for name, members in MEMBERS.items() if not need.letters & ALL_ASCII & ~members), None)
    confined = need.shortest > 0 and need.look <= FARTHEST_LOOK
    return Screen(need, run if confined else None, core)


class Screened:
    """A text, with what screens ask of it, each counted and found once."""

    def __init__(self, text: str) -> None:
        """Count the characters of a text."""
        self.text = text
        self._digits_beyond = not text.isascii() and BEYOND_DIGIT.search(text) is not None
        self._digits = ANY_DIGIT if self._digits_beyond else FINDERS[0]
        self._counts = (len(self._digits.findall(text)), *(len(finder.findall(text)) for finder in FINDERS[1:]))
        self._runs: dict[tuple[str, str | None, int], list[tuple[int, int, int]]] = {}

    def may_match(self, screen: Screen) -> bool:
        """Tell whether a pattern may match anywhere."""
        return any(True for _ in self.windows(screen))

    def windows(self, screen: Screen) -> Iterator[tuple[int, int, int]]:
        """Yield (start, stop, end): matches start in start to stop, and a search may see the text up to end.

        No match reaches from one window into another.
        """
        need, length = screen.need, len(self.text)
        if not all(map(ge, self._counts, need.counts)):
            return
        if screen.run is None:
            yield 0, length + 1, length
            return
        key = screen.run, screen.core, 0 if screen.core else need.shortest
        if key not in self._runs:
            self._runs[key] = self._find(*key)
        for start, stop, digits in self._runs[key]:
            if stop - start >= need.shortest and digits >= need.counts[0]:
                yield start, stop, min(stop + need.look, length)

    def _find(self, run: str, core: str | None, shortest: int) -> list[tuple[int, int, int]]:
        spans = [match.span() for match in _finding(run, core, shortest, self._digits_beyond).finditer(self.text)]
        return [(start, stop, len(self._digits.findall(self.text, start, stop))) for start, stop in spans]


@cache
def _finding(run: str, core: str | None, shortest: int, digits_beyond: bool) -> re.Pattern[str]:
    """Compile what finds the longest stretches of a class that hold a character of a kind, or are not too short."""
    within = f"[{RUNS[run]}{BEYOND}]"
    if core is None:
        return re.compile(f"{within}{{{shortest},}}+")
    kind = PROBES[core][0]
    beyond = BEYOND if core == "digit" and digits_beyond else ""
    return re.compile(f"(?<!{within})(?:(?![{kind}{beyond}]){within})*+[{kind}{beyond}]{within}*+")
