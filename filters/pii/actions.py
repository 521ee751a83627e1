"""What stands in a text where personal data stood, and what the ledger is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from curate.errors import SecretError
from curate.pii_match import VARIABLE, pseudonym, value_match
from filters.pii.spans import Span, merge_overlaps, rewrite, surest_within

Action = Literal["placeholder", "mask", "pseudonym", "remove", "drop"]
DEFAULT = "default"

MASK = "****"
"""Of one width for every value: as many stars as characters would tell a name's length, and with it often the name."""


@dataclass(frozen=True)
class Hit:
    """One finding and what was done about it."""

    span: Span
    """In the text as it was."""
    action: Action
    place: tuple[int, int]
    """Characters of the text as written, start (in) to stop (out)."""
    match: str | None


@dataclass(frozen=True)
class Written:
    """A text without its personal data."""

    text: str
    hits: tuple[Hit, ...]


class Writer:
    """Rewrites texts as a table of actions says."""

    def __init__(self, actions: Mapping[str, Action], secret: bytes | None, *, matching: bool) -> None:
        """Keep the settings; `secret` keys pseudonyms and, where `matching`, the hashes for the ledger.

        Raises:
            SecretError: there is no secret, and one of the two needs it.
        """
        if secret is None and (matching or "pseudonym" in actions.values()):
            raise SecretError(f"pseudonyms and matches need {VARIABLE}")
        self._actions = actions
        self._secret = secret or b""
        self._matching = matching

    def write(self, text: str, found: Sequence[Span]) -> Written:
        """Act on findings, overlapping ones as one; the value that is named is that of the surest."""
        spans = merge_overlaps(found)
        surest = [surest_within(span, found) for span in spans]
        values = [text[span.start : span.stop] for span in surest]
        actions = [self._actions.get(span.entity, self._actions[DEFAULT]) for span in spans]
        stand_ins = [self._stand_in(*each) for each in zip(actions, spans, values, strict=True)]
        written = rewrite(text, spans, stand_ins)
        matches = [value_match(self._secret, value) if self._matching else None for value in values]
        return Written(written.text, tuple(map(Hit, spans, actions, written.places, matches)))

    def _stand_in(self, action: Action, span: Span, value: str) -> str | None:
        """Return what replaces a value, None where it is taken out.

        A sample that is dropped gets placeholders: its row stays in the run's results until they are purged.
        """
        if action == "remove":
            return None
        if action == "mask":
            return MASK
        if action == "pseudonym":
            return f"<{span.entity}_{pseudonym(self._secret, value)}>"
        return f"<{span.entity}>"
