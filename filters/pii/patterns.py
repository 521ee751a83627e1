"""Presidio's pattern recognizers, run only where their expressions can match; the findings are Presidio's own.

Presidio runs every expression over every text and wraps each match in objects that explain it. Here an expression runs
on the stretches that its screen lets through; validation, scores and removal of duplicates are as in
`PatternRecognizer.analyze`, and a recognizer that analyses in its own way is called, whole text and all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import regex  # type: ignore[import-untyped]
from presidio_analyzer import PatternRecognizer

from filters.pii.phones import PhoneSearch, is_phone_recognizer
from filters.pii.prescreen import Screen, Screened, screen

SURE = 1.0
TIMEOUT_S = 60
"""As in Presidio, which then goes on without the expression; here a TimeoutError has the sample fail."""
VALIDATES, INVALIDATES = PatternRecognizer.validate_result, PatternRecognizer.invalidate_result


class Hit(NamedTuple):
    """One finding of a recognizer, before context and threshold."""

    start: int
    stop: int
    entity: str
    score: float
    recognizer: int
    """Its place in the order of recognizers."""


Search = Callable[[Screened], Iterable[Hit]]
"""Finds a recognizer's hits in a text."""


def searches(recognizers: Sequence[Any], entities: Sequence[str]) -> Callable[[str], list[Hit]]:
    """Return a function that finds the hits of all recognizers in a text; names come from elsewhere."""
    made = [_search(place, recognizer, list(entities)) for place, recognizer in enumerate(recognizers)]

    def find(text: str) -> list[Hit]:
        screened = Screened(text)
        return [hit for search in made for hit in search(screened)]

    return find


def _search(place: int, recognizer: Any, entities: list[str]) -> Search:
    if is_phone_recognizer(recognizer):
        phones = PhoneSearch(recognizer)
        entity, score = recognizer.supported_entities[0], recognizer.SCORE
        return lambda screened: [Hit(start, stop, entity, score, place) for start, stop in phones.find(screened.text)]
    if not isinstance(recognizer, PatternRecognizer):
        return _whole(place, recognizer, entities, ())
    screens = [screen(pattern.regex, recognizer.global_regex_flags) for pattern in recognizer.patterns]
    if type(recognizer).analyze is not PatternRecognizer.analyze:
        return _whole(place, recognizer, entities, screens)
    return _Patterns(place, recognizer, screens)


def _whole(place: int, recognizer: Any, entities: list[str], screens: Sequence[Screen]) -> Search:
    """Call the recognizer itself, unless no pattern of its can match."""

    def search(screened: Screened) -> Iterable[Hit]:
        if screens and not any(map(screened.may_match, screens)):
            return ()
        found = recognizer.analyze(screened.text, entities, None) or ()
        return [Hit(r.start, r.end, r.entity_type, r.score, place) for r in found]

    return search


@dataclass(frozen=True)
class _Compiled:
    expression: Any
    score: float
    screen: Screen

    def matches(self, screened: Screened) -> Iterator[Any]:
        """Yield the matches of the expression in the whole text, found window by window.

        Matches never cross from one window into the next, so each window sees what a search of the whole would see.
        """
        for start, stop, end in screened.windows(self.screen):
            for match in self.expression.finditer(screened.text, start, end, timeout=TIMEOUT_S):
                if match.start() >= stop:
                    break
                yield match


class _Patterns:
    """The search of a `PatternRecognizer` that analyses as its class does."""

    def __init__(self, place: int, recognizer: Any, screens: Sequence[Screen]) -> None:
        flags = recognizer.global_regex_flags
        self._place, self._entity = place, recognizer.supported_entities[0]
        self._patterns = [
            _Compiled(regex.compile(pattern.regex, flags), pattern.score, screen)
            for pattern, screen in zip(recognizer.patterns, screens, strict=True)
        ]
        kind = type(recognizer)
        self._validate = recognizer.validate_result if kind.validate_result is not VALIDATES else None
        self._invalidate = recognizer.invalidate_result if kind.invalidate_result is not INVALIDATES else None

    def __call__(self, screened: Screened) -> list[Hit]:
        hits = [
            Hit(match.start(), match.end(), self._entity, score, self._place)
            for pattern in self._patterns
            for match in pattern.matches(screened)
            if (score := self._score(match[0], pattern.score)) > 0
        ]
        return without_duplicates(hits)

    def _score(self, found: str, score: float) -> float:
        if not found:
            return 0.0
        valid = self._validate(found) if self._validate else None
        if valid is not None:
            score = SURE if valid else 0.0
        return 0.0 if self._invalidate and self._invalidate(found) else score


def without_duplicates(hits: list[Hit]) -> list[Hit]:
    """Keep of equal hits the first, and of a kind those that no kept one of as high a score contains.

    As `EntityRecognizer.remove_duplicates`, in order of (kind, start, longest, surest).
    """
    if len(hits) < 2:  # noqa: PLR2004
        return hits
    distinct = {hit[:4]: hit for hit in reversed(hits)}.values()
    kept: list[Hit] = []
    for hit in sorted(distinct, key=lambda h: (h.entity, h.start, -h.stop, -h.score)):
        around = (k for k in kept if k.entity == hit.entity and k.stop >= hit.stop)
        if not any(k.score >= hit.score for k in around):
            kept.append(hit)
    return kept
