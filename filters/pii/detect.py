"""Finding personal data in text: Presidio's recognizers over a spaCy pipeline, opened once in a worker.

Captions, text in pictures and speech go through the very same detector.
"""

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field

from curate.errors import ModelError
from curate.models import Model
from curate.pii_match import PSEUDONYM_DIGITS
from curate.stage import Stage
from filters.pii import recognizers
from filters.pii.spans import Span, outside

Entity = Literal[
    "API_KEY",
    "CREDIT_CARD",
    "CRYPTO",
    "DATE_OF_BIRTH",
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
    "SOCIAL_HANDLE",
    "STREET_ADDRESS",
    "UK_NHS",
    "URL",
    "US_BANK_NUMBER",
    "US_DRIVER_LICENSE",
    "US_ITIN",
    "US_PASSPORT",
    "US_SSN",
    "UUID",
]
"""What Presidio's English recognizers and the ones added to them can find."""

PLACEHOLDER = re.compile(f"<(?:{'|'.join(get_args(Entity))})(?:_[0-9a-f]{{{PSEUDONYM_DIGITS}}})?>")
"""What a redaction writes: a kind, and with a pseudonym its hex digits."""
LANGUAGE = "en"
# Only the entity recognizer runs: the rest of an English pipeline takes a third of its speed (39 to 56 documents/s).
UNUSED_PIPES = ("tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
# One letter is no name: of 27 false names in 805 captions of clip art, 12 were like the one in "The letter B."
MIN_NAME_LETTERS = 2


class DetectsPii(Stage):
    """Settings of every stage that looks for personal data in text."""

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
            "STREET_ADDRESS",
            "SOCIAL_HANDLE",
            "DATE_OF_BIRTH",
            "API_KEY",
        ),
        min_length=1,
        description="kinds of personal data to look for, in Presidio's names",
    )
    score_at_least: float = Field(0.35, ge=0, le=1, description="confidence from which a finding is replaced")

    def models(self) -> tuple[Model, ...]:
        """Name the spaCy pipeline."""
        name = self.model if Path(self.model).is_dir() else f"package:{self.model}"
        return (Model(name, licence="MIT"),)

    def identity(self) -> str:
        """Hash Presidio's version with the rest: its patterns decide as much as the weights."""
        return hashlib.sha256(f"{super().identity()} {_presidio_version()}".encode()).hexdigest()


class TextDetector:
    """Finds personal data in texts; made by `open_detector`."""

    def __init__(self, stage: DetectsPii) -> None:
        """Load spaCy and Presidio.

        Raises:
            ModelError: a package or a pipeline is not here, or is not what it should be.
        """
        self._nlp = _load_spacy(stage.models()[0])
        self._batches = _load_presidio(self._nlp)
        self._options = {"entities": list(stage.entities), "score_threshold": stage.score_at_least}
        named = f"{self._nlp.meta['lang']}_{self._nlp.meta['name']} {self._nlp.meta['version']}"
        self.name = f"presidio {_presidio_version()} / {named}"
        """What finds, with versions, for the ledger; the recognizer of each span follows it there."""

    def find(self, texts: Sequence[str]) -> Iterator[list[Span]]:
        """Yield the spans of each text in order of position; they may overlap, see `merge_overlaps`."""
        # Without a memory zone spaCy keeps every word it ever saw, and a long-lived worker grows for ever.
        with self._nlp.memory_zone():
            found = self._batches.analyze_iterator(texts, language=LANGUAGE, batch_size=256, **self._options)
        for text, results in zip(texts, found, strict=True):
            placeholders = [match.span() for match in PLACEHOLDER.finditer(text)]
            spans = outside([_span(result) for result in results], placeholders)
            yield [span for span in spans if _is_finding(text, span)]


def _presidio_version() -> str:
    try:
        return version("presidio-analyzer")
    except PackageNotFoundError as error:
        raise ModelError("redact_pii needs presidio-analyzer: pip install 'curate-multimodal[filters]'") from error


def _span(result: Any) -> Span:
    recognizer = result.recognition_metadata["recognizer_name"]
    return Span(result.start, result.end, result.entity_type, round(float(result.score), 6), recognizer)


def _is_finding(text: str, span: Span) -> bool:
    """Tell a finding from a name of one letter and from the marks around a placeholder."""
    found = text[span.start : span.stop]
    if span.entity == "PERSON":
        return sum(map(str.isalpha, found)) >= MIN_NAME_LETTERS
    return any(map(str.isalnum, found))


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
    for recognizer in recognizers.added(LANGUAGE):
        registry.add_recognizer(recognizer)
    return BatchAnalyzerEngine(AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[LANGUAGE]))
