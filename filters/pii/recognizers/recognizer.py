"""What a recognizer of ours is: a function over text, and what a text must hold for it to be worth calling."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple


class Found(NamedTuple):
    """Characters start (in) to stop (out) of a text, and how sure the recognizer is, 0..1."""

    start: int
    stop: int
    score: float


@dataclass(frozen=True)
class Recognizer:
    """Finds one kind of personal data, in any language."""

    name: str
    entity: str
    needs: str
    """A regular expression that is found in every text this recognizer can find anything in; cheap, and seldom found
    in others: the engine calls the recognizer only where it is."""
    find: Callable[[str], Iterator[Found]]
    """Time linear in the text's length: every repetition in a pattern is bounded, or is of one class of characters
    that what follows it does not share."""

    def may_find(self, text: str) -> bool:
        """Tell whether a text holds what the recognizer needs."""
        return _compiled(self.needs).search(text) is not None


@cache
def _compiled(needs: str) -> re.Pattern[str]:
    return re.compile(needs)


def for_presidio(recognizer: Recognizer, language: str) -> Any:
    """Return a Presidio `EntityRecognizer` that finds the same, with the attribute `needs`."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class Added(EntityRecognizer):
        needs = recognizer.needs

        def load(self) -> None:
            """Nothing to load."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
            """Return a RecognizerResult for each finding."""
            del entities, nlp_artifacts
            if not recognizer.may_find(text):
                return []
            told = {
                RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            }
            return [
                RecognizerResult(recognizer.entity, start, stop, score, recognition_metadata=dict(told))
                for start, stop, score in recognizer.find(text)
            ]

    return Added([recognizer.entity], name=recognizer.name, supported_language=language)
