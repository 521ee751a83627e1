"""Presidio's recognizers of a language, and those added to them; imported where a worker opens a detector."""

import logging
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import presidio_analyzer
import tldextract
import yaml
from presidio_analyzer import EntityRecognizer, PatternRecognizer, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.nlp_engine import NerModelConfiguration
from presidio_analyzer.predefined_recognizers import PhoneRecognizer, SpacyRecognizer

from filters.pii import recognizers

CONFIGURATION = Path(presidio_analyzer.__file__).parent / "conf"
NAME_RECOGNIZER = SpacyRecognizer.__name__
NAME_SCORE = 0.85
"""Of every name: spaCy gives none, and this is Presidio's default for it."""


def load_recognizers(language: str, entities: Sequence[str]) -> list[EntityRecognizer]:
    """Return the recognizers of a language that find some of these entities, in order of their names; spaCy's apart.

    Those that Presidio leaves off unless asked for, mostly of one country's numbers, are on for the entities asked for.
    """
    for chatty in ("presidio-analyzer", "tldextract"):
        logging.getLogger(chatty).setLevel(logging.WARNING)  # below that they log the text around a finding
    # The e-mail recognizer would otherwise fetch the public suffix list; the copy in the package serves.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    registry = RecognizerRegistry(supported_languages=[language])
    registry.load_predefined_recognizers(languages=[language])
    loaded = [one for one in registry.recognizers if not isinstance(one, SpacyRecognizer)]
    loaded += [kind(supported_language=language) for kind in _off_by_default(language)]
    loaded += recognizers.added(language)
    fitting = [one for one in loaded if set(one.supported_entities) & set(entities)]
    _refuse_own_context(fitting)
    return sorted(fitting, key=lambda one: one.name)


def name_entities(labels: set[str]) -> dict[str, str]:
    """Return the entity of each label of a spaCy pipeline that stands for one, as Presidio's configurations have it."""
    shipped = yaml.safe_load((CONFIGURATION / "default.yaml").read_text())["ner_model_configuration"]
    mapping = {
        **NerModelConfiguration().model_to_presidio_entity_mapping,
        **shipped["model_to_presidio_entity_mapping"],
    }
    return {
        label: entity for label, entity in mapping.items() if label in labels and entity in SpacyRecognizer.ENTITIES
    }


def _off_by_default(language: str) -> Iterator[type[EntityRecognizer]]:
    """Yield the pattern recognizers that Presidio has for a language and does not load."""
    for entry in _configured():
        kind = getattr(predefined_recognizers, entry.get("class_name", entry["name"]), None)
        languages = [one if isinstance(one, str) else one["language"] for one in entry.get("supported_languages", ())]
        off = not entry.get("enabled", True) and (not languages or language in languages)
        if off and kind is not None and issubclass(kind, (PatternRecognizer, PhoneRecognizer)):
            yield kind


@cache
def _configured() -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load((CONFIGURATION / "default_recognizers.yaml").read_text())["recognizers"])


def _refuse_own_context(loaded: Sequence[EntityRecognizer]) -> None:
    """Refuse recognizers that raise scores in a way of their own: only the enhancer's way is computed here."""
    for one in loaded:
        if type(one).enhance_using_context is not EntityRecognizer.enhance_using_context:
            raise TypeError(f"{one.name} raises scores by a method of its own, which is never called")
