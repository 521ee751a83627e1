"""Places of personal data in a text: joined where they overlap, replaced by something that says what stood there."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """One finding: characters start (in) to stop (out)."""

    start: int
    stop: int
    entity: str
    score: float
    recognizer: str


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


def replace(text: str, spans: Sequence[Span]) -> str:
    """Put `<ENTITY>` in place of each span; spans are in order and apart."""
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], f"<{span.entity}>"]
        end = span.stop
    return "".join([*parts, text[end:]])
