"""What a sample of a run says: its conversation, its captions, its picture. Members are untrusted bytes."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from curate.train.pictures import FORMATS
from curate.train.template import PICTURE, Unusable

_HALVES = re.compile("[\ud800-\udfff]")

Turn = tuple[str, str]
"""A question and its answer."""


@dataclass(frozen=True)
class Posed:
    """What a model is asked of a sample's picture, and what counts as said right."""

    question: str
    """Empty where it is to caption."""
    answers: tuple[str, ...]
    """The sample's captions, or the one answer."""
    talks: bool = False
    """Whether it answers a question, which can be right or wrong."""


@dataclass(frozen=True)
class Sample:
    """One sample where it stands in the training order."""

    members: Mapping[str, bytes]
    draw: random.Random
    """Its random numbers, a function of (seed, place in the training order)."""

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Its json member.

        Raises:
            Unusable: it is missing or no JSON object.
        """
        try:
            facts = json.loads(self.members.get("json", b""))
        except (ValueError, RecursionError):  # the latter where it is nested a thousand deep
            facts = None
        if not isinstance(facts, dict):
            raise Unusable("json_unreadable")
        return facts

    @property
    def picture(self) -> bytes | None:
        """The encoded picture, where there is one."""
        return next((self.members[name] for name in FORMATS if name in self.members), None)

    def turns(self) -> list[Turn]:
        """Return its conversation: questions and answers by turns, in LLaVA's format.

        Raises:
            Unusable: there is none, or it is not human and gpt by turns, each with words, `<image>` once where
                there is a picture.
        """
        said = self.facts.get("conversations")
        if not isinstance(said, list) or not said or len(said) % 2:
            raise Unusable("conversation_incomplete")
        turns = [(_said(q, "human"), _said(a, "gpt")) for q, a in zip(said[::2], said[1::2], strict=True)]
        if not all(q and a.strip() for q, a in turns):
            raise Unusable("conversation_malformed")
        if sum(text.count(PICTURE) for turn in turns for text in turn) != (self.picture is not None):
            raise Unusable("pictures_and_placeholders_differ")
        return turns

    def captions(self) -> list[str]:
        """Return its captions, best first: `captions`, a ranked list of texts, or `caption`.

        Raises:
            Unusable: there is none.
        """
        ranked = self.facts.get("captions")
        listed = [c.get("text") if isinstance(c, dict) else c for c in ranked] if isinstance(ranked, list) else []
        found = [text for c in (*listed, self.facts.get("caption")) if (text := _text(c).strip())]
        if not found:
            raise Unusable("caption_missing")
        return list(dict.fromkeys(found))

    def to_caption(self) -> Posed:
        """Pose its picture without a question.

        Raises:
            Unusable: it has no caption.
        """
        return Posed("", tuple(self.captions()))

    def to_answer(self) -> Posed:
        """Pose the first question of its conversation: later ones lean on what was said before.

        Raises:
            Unusable: its conversation cannot be used, see `turns`.
        """
        question, answer = self.turns()[0]
        return Posed(question.replace(PICTURE, "").strip(), (answer.strip(),), talks=True)

    def seen(self) -> bytes:
        """Return the encoded picture.

        Raises:
            Unusable: there is none.
        """
        if self.picture is None:
            raise Unusable("picture_missing")
        return self.picture


def _said(turn: Any, by: str) -> str:
    if not isinstance(turn, dict) or turn.get("from") != by:
        return ""
    return _text(turn.get("value"))


def _text(value: Any) -> str:
    """Return a text that can be tokenised, or nothing: JSON can spell halves of characters, which no encoding has."""
    whole = isinstance(value, str) and not _HALVES.search(value)
    return str(value) if whole else ""
