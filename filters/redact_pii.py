"""Taking personal data out of captions."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.errors import ModelError
from curate.models import Model
from curate.sample import column
from curate.stage import FINDINGS, Edit, Edited, Editor

Entity = Literal[
    "CREDIT_CARD",
    "CRYPTO",
    "DATE_TIME",
    "EMAIL_ADDRESS",
    "IBAN_CODE",
    "IP_ADDRESS",
    "LOCATION",
    "MAC_ADDRESS",
    "MEDICAL_LICENSE",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "PHONE_NUMBER",
    "UK_NHS",
    "URL",
    "US_BANK_NUMBER",
    "US_DRIVER_LICENSE",
    "US_ITIN",
    "US_PASSPORT",
    "US_SSN",
    "UUID",
]
"""What Presidio's English recognizers can find."""

PLACEHOLDER = re.compile(f"<(?:{'|'.join(get_args(Entity))})>")
LANGUAGE = "en"
# Only the entity recognizer runs: the rest of an English pipeline takes a third of its speed (39 to 56 documents/s).
UNUSED_PIPES = ("tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
# One letter is no name: of 27 false names in 805 captions of clip art, 12 were like the one in "The letter B."
MIN_NAME_LETTERS = 2


@dataclass(frozen=True)
class Span:
    """One place to replace: characters start (in) to stop (out)."""

    start: int
    stop: int
    entity: str
    score: float
    recognizer: str


Detector = Callable[[Sequence[str]], Iterator[list[Span]]]


class RedactPii(Edit):
    """Replace personal data in captions by its kind: `Ask <PERSON> at <EMAIL_ADDRESS>`.

    Source: Microsoft Presidio, with its English pattern recognizers and a spaCy pipeline for names. Findings that
    overlap are replaced as one, under the kind of the most certain. LOCATION, ORGANIZATION, DATE_TIME and URL are off
    unless asked for: in captions they describe the picture more often than a person. Street addresses are missed.
    """

    name: ClassVar[str] = "redact_pii"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (column("caption"),)

    model: str = Field("en_core_web_lg", description="an installed spaCy package, or the folder of a spaCy pipeline")
    entities: tuple[Entity, ...] = Field(
        (
            "PERSON",
            "EMAIL_ADDRESS",
            "PHONE_NUMBER",
            "CREDIT_CARD",
            "IBAN_CODE",
            "US_SSN",
            "US_ITIN",
            "US_PASSPORT",
            "US_BANK_NUMBER",
            "UK_NHS",
            "MEDICAL_LICENSE",
            "IP_ADDRESS",
            "MAC_ADDRESS",
            "CRYPTO",
        ),
        min_length=1,
        description="kinds of personal data to replace, in Presidio's names",
    )
    score_at_least: float = Field(0.35, ge=0, le=1, description="confidence from which a finding is replaced")

    def models(self) -> tuple[Model, ...]:
        """Name the spaCy pipeline."""
        name = self.model if Path(self.model).is_dir() else f"package:{self.model}"
        return (Model(name, licence="MIT"),)

    def identity(self) -> str:
        """Hash Presidio's version with the rest: its patterns decide as much as the weights."""
        return hashlib.sha256(f"{super().identity()} {_presidio_version()}".encode()).hexdigest()

    def open(self) -> Editor:
        """Load spaCy and Presidio; return a function that redacts captions, distinct ones once."""
        detect, detector = _load(self)

        def edit(table: pa.Table) -> Edited:
            encoded = table["caption"].combine_chunks().dictionary_encode()
            texts = encoded.dictionary.to_pylist()
            spans = [merge_overlaps(found) for found in detect(texts)]
            clean = pa.array([replace(text, found) for text, found in zip(texts, spans, strict=True)], pa.string())
            touched = pa.array([bool(found) for found in spans], pa.bool_())
            return Edited(
                columns=pa.table({"caption": clean.take(encoded.indices)}),
                changed=pc.fill_null(touched.take(encoded.indices), fill_value=False),
                findings=_findings(encoded.indices.to_pylist(), spans, detector),
            )

        return edit


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


def _findings(indices: Sequence[int | None], spans: Sequence[list[Span]], detector: str) -> pa.Table:
    """Return FINDINGS rows; indices say which distinct text each row of the table holds."""
    rows = [(row, span) for row, index in enumerate(indices) if index is not None for span in spans[index]]
    return pa.table(
        {
            "row": [row for row, _ in rows],
            "reason": [span.entity for _, span in rows],
            "score": [span.score for _, span in rows],
            "detector": [f"{detector} / {span.recognizer}" for _, span in rows],
        },
        schema=FINDINGS,
    )


def _presidio_version() -> str:
    try:
        return version("presidio-analyzer")
    except PackageNotFoundError as error:
        raise ModelError("redact_pii needs presidio-analyzer: pip install 'curate-multimodal[filters]'") from error


def _load(stage: RedactPii) -> tuple[Detector, str]:
    """Return the detector, from texts to the spans of each in order, and its name with versions."""
    nlp = _load_spacy(stage.models()[0])
    batches = _load_presidio(nlp)
    options = {"entities": list(stage.entities), "score_threshold": stage.score_at_least}

    def detect(texts: Sequence[str]) -> Iterator[list[Span]]:
        # Without a memory zone spaCy keeps every word it ever saw, and a long-lived worker grows for ever.
        with nlp.memory_zone():
            found = batches.analyze_iterator(texts, language=LANGUAGE, batch_size=256, **options)
        for text, results in zip(texts, found, strict=True):
            placeholders = [match.span() for match in PLACEHOLDER.finditer(text)]
            spans = (_span(result) for result in results)
            yield [span for span in spans if _is_finding(text, span, placeholders)]

    named = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    return detect, f"presidio {_presidio_version()} / {named}"


def _span(result: Any) -> Span:
    recognizer = result.recognition_metadata["recognizer_name"]
    return Span(result.start, result.end, result.entity_type, round(float(result.score), 6), recognizer)


def _is_finding(text: str, span: Span, placeholders: Sequence[tuple[int, int]]) -> bool:
    """Tell a finding from a name of one letter and from what an earlier redaction wrote."""
    if any(start <= span.start and span.stop <= stop for start, stop in placeholders):
        return False
    letters = sum(character.isalpha() for character in text[span.start : span.stop])
    return span.entity != "PERSON" or letters >= MIN_NAME_LETTERS


def _load_spacy(model: Model) -> Any:
    import spacy
    from spacy.language import Language

    @Language.component("lower_case_lemmas")
    def lower_case_lemmas(doc: Any) -> Any:
        """Give Presidio's context words ("phone", "passport") something to match in place of the lemmatizer."""
        for token in doc:
            token.lemma_ = token.lower_
        return doc

    model.locate()
    try:
        nlp = spacy.load(model.name.removeprefix("package:"), exclude=UNUSED_PIPES)
    except (OSError, ValueError) as error:
        raise ModelError(f"'{model.name}' is not a spaCy pipeline: {error}") from error
    if "ner" not in nlp.pipe_names:
        raise ModelError(f"spaCy pipeline '{model.name}' recognizes no entities; redact_pii needs one with `ner`")
    if "tok2vec" in nlp.pipe_names and "ner" not in nlp.get_pipe("tok2vec").listening_components:
        nlp.remove_pipe("tok2vec")
    nlp.add_pipe("lower_case_lemmas")
    return nlp


def _load_presidio(nlp: Any) -> Any:
    import tldextract
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    for chatty in ("presidio-analyzer", "tldextract"):
        logging.getLogger(chatty).setLevel(logging.WARNING)  # below that they log the text around a finding
    # The e-mail recognizer would otherwise fetch the public suffix list; the copy in the package serves.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    mapped = NerModelConfiguration().model_to_presidio_entity_mapping
    ignored = [label for label in nlp.get_pipe("ner").labels if label not in mapped]
    engine = SpacyNlpEngine(
        models=[{"lang_code": LANGUAGE, "model_name": nlp.meta["name"]}],
        ner_model_configuration=NerModelConfiguration(labels_to_ignore=ignored),
    )
    engine.nlp = {LANGUAGE: nlp}
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers(languages=[LANGUAGE], nlp_engine=engine)
    return BatchAnalyzerEngine(AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[LANGUAGE]))
