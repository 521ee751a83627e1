"""The detector of one language: recognizers, names and context together, in Presidio's order."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

from filters.pii.context import Context
from filters.pii.patterns import Hit, searches, without_duplicates
from filters.pii.pipelines import Labelled, Pipeline
from filters.pii.presidio import NAME_RECOGNIZER, NAME_SCORE, load_recognizers, name_entities
from filters.pii.spans import Span


class OfLanguage:
    """Finds what `AnalyzerEngine.analyze` finds in texts of one language.

    Source: Microsoft Presidio, `presidio_analyzer/analyzer_engine.py`: all recognizers, then context, then the
    threshold, then removal of findings within others of their kind.
    """

    def __init__(self, language: str, pipeline: Pipeline | None, entities: Sequence[str], threshold: float) -> None:
        """Load the recognizers; without a pipeline no names are found, and context raises no score."""
        recognizers = load_recognizers(language, entities)
        labels = {} if pipeline is None else name_entities(pipeline.labels())
        self.entities = {*labels.values(), *(entity for one in recognizers for entity in one.supported_entities)}
        self._names = {label: entity for label, entity in labels.items() if entity in entities}
        self._pipeline = pipeline
        self._threshold = threshold
        self._hits = searches(recognizers, entities)
        self._context = Context(recognizers, threshold)
        self._recognizers = [*(one.name for one in recognizers), NAME_RECOGNIZER]

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return the spans of each text, in order of position."""
        hits = [[hit for hit in self._hits(text) if self._matters(hit)] for text in texts]
        with nullcontext() if self._pipeline is None else self._pipeline.memory_zone():
            if self._pipeline is not None:
                hits = self._with_names_and_context(self._pipeline, texts, hits)
            return [self._spans(of) for of in hits]

    def _matters(self, hit: Hit) -> bool:
        return hit.score >= self._threshold or (self._pipeline is not None and self._context.open(hit))

    def _with_names_and_context(
        self, pipeline: Pipeline, texts: Sequence[str], hits: list[list[Hit]]
    ) -> list[list[Hit]]:
        """Return hits with scores as context makes them, and with names."""
        docs, names = pipeline.names(texts) if self._names else ([None] * len(texts), [[]] * len(texts))
        scored = list(hits)
        undecided = []
        for place, (text, of) in enumerate(zip(texts, hits, strict=True)):
            if any(map(self._context.open, of)):
                told = self._context.scored(of, docs[place] or pipeline.tokens(text), pipeline.lemmas)
                scored[place] = told or []
                undecided += [place] if told is None else []
        for place, doc in zip(undecided, pipeline.whole([texts[i] for i in undecided]), strict=True):
            scored[place] = self._context.decided(hits[place], doc, pipeline.lemmas)
        return [[*of, *self._named(found)] for of, found in zip(scored, names, strict=True)]

    def _named(self, names: Sequence[Labelled]) -> Iterator[Hit]:
        place = len(self._recognizers) - 1
        for start, stop, label in names:
            if label in self._names:
                yield Hit(start, stop, self._names[label], NAME_SCORE, place)

    def _spans(self, hits: Sequence[Hit]) -> list[Span]:
        kept = without_duplicates([hit for hit in hits if hit.score >= self._threshold])
        return [
            Span(hit.start, hit.stop, hit.entity, round(float(hit.score), 6), self._recognizers[hit.recognizer])
            for hit in sorted(kept)
        ]
