"""Finding personal data in text: what Presidio's analyzer finds, several times as fast.

Captions, text in pictures and speech go through the very same detector. Presidio analyses text by text, with the whole
language model each time; here pattern recognizers run only where they can match (`prescreen`, `patterns`, `phones`),
spaCy only for names and in batches (`pipelines`), and context words are looked up only around findings whose score they
may change (`context`, `lemmas`). docs/privacy_text.md says what that saves and which differences remain.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from curate.errors import ModelError, StageError, nearest
from filters.pii.entities import PLACEHOLDER, Entity
from filters.pii.pipelines import Pipeline
from filters.pii.settings import DetectsPii, package_version
from filters.pii.spans import Span, outside

__all__ = ["DetectsPii", "Entity", "TextDetector"]

# One letter is no name: of 27 false names in 805 captions of clip art, 12 were like the one in "The letter B."
MIN_NAME_LETTERS = 2
UNDETERMINED = "und"


class TextDetector:
    """Finds personal data in texts."""

    def __init__(self, stage: DetectsPii) -> None:
        """Load spaCy and Presidio.

        Raises:
            ModelError: a package or a pipeline is not here, or is not what it should be.
            StageError: no recognizer of the languages finds an entity that the stage asks for.
        """
        from filters.pii.of_language import OfLanguage

        presidio = f"presidio {package_version('presidio-analyzer')}"
        pipelines = _load_pipelines(stage)
        self._entities, self._threshold = stage.entities, stage.score_at_least
        self._default = next(iter(pipelines))
        self._policy = stage.unknown_language
        self._of_language: dict[str, OfLanguage] = {
            language: OfLanguage(language, pipeline, stage.entities, stage.score_at_least)
            for language, pipeline in pipelines.items()
        }
        self._refuse_unfindable(stage.entities)
        self.name = " / ".join([presidio, *(pipeline.named for pipeline in pipelines.values())])
        """What finds, with versions, for the ledger; the recognizer of each span follows it there."""

    def refusal(self, language: str | None) -> str | None:
        """Return why texts in a language are not looked through, as a reason to fail or drop them, or None."""
        code = _code(language)
        known = code in self._of_language or self._policy in {"patterns_only", "treat_as_default"}
        return None if known else f"no_model_for_{code}"

    def find(self, texts: Sequence[str], languages: Sequence[str | None] | None = None) -> Iterator[list[Span]]:
        """Yield the spans of each text in order of position; they may overlap, see `merge_overlaps`.

        Args:
            texts: each is looked through once, however often it occurs.
            languages: of each text, an ISO 639-1 code or None where that is unknown; without them all texts are in the
                language of `model`.

        Raises:
            StageError: a language has no pipeline and the stage does not say to go on, see `refusal`.
        """
        spoken = [self._default if languages is None else self._spoken(languages[i]) for i in range(len(texts))]
        asked = dict.fromkeys(zip(spoken, texts, strict=True))
        found: dict[tuple[str, str], list[Span]] = {}
        for language in dict.fromkeys(spoken):
            batch = [text for code, text in asked if code == language]
            spans = self._detector(language).find(batch)
            found.update({(language, text): _kept(text, of) for text, of in zip(batch, spans, strict=True)})
        for language, text in zip(spoken, texts, strict=True):
            yield found[language, text]

    def _spoken(self, language: str | None) -> str:
        """Return the code of the language whose recognizers look through a text."""
        code = _code(language)
        if code in self._of_language:
            return code
        if self._policy == "treat_as_default":
            return self._default
        if self._policy == "patterns_only":
            return code
        raise StageError(f"no spaCy pipeline for language '{code}': give one in `pipelines`, or set `unknown_language`")

    def _detector(self, language: str) -> Any:
        from filters.pii.of_language import OfLanguage

        if language not in self._of_language:
            self._of_language[language] = OfLanguage(language, None, self._entities, self._threshold)
        return self._of_language[language]

    def _refuse_unfindable(self, entities: Sequence[str]) -> None:
        found = {entity for one in self._of_language.values() for entity in one.entities}
        for entity in entities:
            if entity not in found:
                languages = ", ".join(self._of_language)
                raise StageError(f"nothing finds '{entity}' in {languages}.{nearest(entity, sorted(found))}")


def _load_pipelines(stage: DetectsPii) -> dict[str, Pipeline]:
    """Load the pipelines by language, that of `model` first."""
    first, *others = [Pipeline(model) for model in stage.models()]
    for code, pipeline in zip(stage.pipelines, others, strict=True):
        if pipeline.language not in {code, "xx"}:
            raise ModelError(f"pipelines: {code}: '{pipeline.named}' is for language '{pipeline.language}'")
        if code == first.language:
            raise ModelError(f"pipelines: {code}: `model` is for '{code}' already")
    return {first.language: first, **dict(zip(stage.pipelines, others, strict=True))}


def _code(language: str | None) -> str:
    """Return the ISO 639 code that a language starts with: `pt` of `pt-BR`."""
    return (language or UNDETERMINED).replace("_", "-").partition("-")[0].lower()


def _kept(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return spans without what an earlier redaction wrote."""
    placeholders = [match.span() for match in PLACEHOLDER.finditer(text)] if "<" in text else []
    return [span for span in outside(spans, placeholders) if _is_finding(text, span)]


def _is_finding(text: str, span: Span) -> bool:
    """Tell a finding from a name of one letter and from the marks around a placeholder."""
    found = text[span.start : span.stop]
    if span.entity == "PERSON":
        return sum(map(str.isalpha, found)) >= MIN_NAME_LETTERS
    return any(map(str.isalnum, found))
