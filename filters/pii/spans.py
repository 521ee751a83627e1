"""Places of personal data in a text: joined where they overlap, replaced by something that says what stood there."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as altered

CLOSING = ".,;:!?)]}»”…"
"""Marks before which no blank stays when what stood between is taken out."""


@dataclass(frozen=True)
class Span:
    """One finding: characters start (in) to stop (out)."""

    start: int
    stop: int
    entity: str
    score: float
    recognizer: str


@dataclass(frozen=True)
class Rewritten:
    """A text with its spans replaced."""

    text: str
    places: list[tuple[int, int]]
    """Where each replacement stands in it, start (in) to stop (out); empty where a span was taken out."""


def merge_overlaps(found: Sequence[Span]) -> list[Span]:
    """Join spans that share a character, so that no part of either stays; the best names the whole.

    Best is the highest score, then the longest, then the first in (start, entity): nothing depends on the order given.
    """
    merged: list[Span] = []
    for span in sorted(found, key=lambda s: (s.start, s.stop, s.entity, s.recognizer)):
        last = merged[-1] if merged else None
        if last is None or span.start >= last.stop:
            merged.append(span)
            continue
        best = max(last, span, key=lambda s: (s.score, s.stop - s.start))
        merged[-1] = Span(last.start, max(last.stop, span.stop), best.entity, best.score, best.recognizer)
    return merged


def surest_within(merged: Span, found: Sequence[Span]) -> Span:
    """Return the finding that named a merged span: of its kind, recognizer and score the longest, then the first."""
    named = [
        s
        for s in found
        if merged.start <= s.start
        and s.stop <= merged.stop
        and (s.entity, s.score, s.recognizer) == (merged.entity, merged.score, merged.recognizer)
    ]
    return min(named, key=lambda s: (s.start - s.stop, s.start))


def outside(found: Sequence[Span], kept: Sequence[tuple[int, int]]) -> list[Span]:
    """Cut from spans the characters that must stay; `kept` has (start, stop) in order and apart."""
    left: list[Span] = []
    for span in found:
        start = span.start
        for kept_start, kept_stop in kept:
            if start < kept_start < span.stop:
                left.append(altered(span, start=start, stop=kept_start))
            if kept_start < span.stop and start < kept_stop:
                start = kept_stop
        if start < span.stop:
            left.append(altered(span, start=start))
    return left


def replace(text: str, spans: Sequence[Span]) -> str:
    """Put `<ENTITY>` in place of each span; spans are in order and apart."""
    return rewrite(text, spans, [f"<{span.entity}>" for span in spans]).text


def rewrite(text: str, spans: Sequence[Span], stand_ins: Sequence[str | None]) -> Rewritten:
    """Put a stand-in in place of each span, or None to take it out with a blank that it leaves behind.

    Spans are in order and apart.
    """
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    length = end = 0
    for span, stand_in in zip(spans, stand_ins, strict=True):
        before, end = text[end : span.start], span.stop
        if stand_in is None:
            before, end = _tidied(before, text, end, opens=not length)
        parts += [before, stand_in or ""]
        places.append((length + len(before), length + len(before) + len(stand_in or "")))
        length = places[-1][1]
    return Rewritten("".join([*parts, text[end:]]), places)


def _tidied(before: str, text: str, end: int, *, opens: bool) -> tuple[str, int]:
    """Return what stays before a span that is taken out, and where the text goes on: one blank, none before marks."""
    after = text[end : end + 1]
    if not after or after.isspace() or after in CLOSING:
        before = before.rstrip(" \t")
    if opens and not before:
        end += len(text[end:]) - len(text[end:].lstrip(" \t"))
    return before, end
