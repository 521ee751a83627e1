"""The detector beside Presidio's own analyzer: the same findings, in a batch and text by text."""

import random

import pytest
import spacy
from presidio_loop import MODEL, Loop

from curate.errors import ModelError, StageError
from filters.pii.detect import DetectsPii, TextDetector
from filters.pii.redact_pii import RedactPii

DEFAULT = DetectsPii.model_fields["entities"].default
NAMES = ("PERSON", "LOCATION", "NRP", "ORGANIZATION", "DATE_TIME")
PATTERNS = tuple(entity for entity in DEFAULT if entity not in NAMES)
ABROAD = ("UK_NINO", "AU_TFN", "IN_PAN", "ZA_MOBILE_NUMBER", "ABA_ROUTING_NUMBER", "US_DRIVER_LICENSE", "URL", "UUID")
PARTS = (
    "Please call Maria Garcia at 212-555-0187 today.",
    "My phones are (212) 555-0123 and +44 20 7946 0958, ext. 12.",
    "The account numbers were 12345678 and 987654321;",
    "he called 912803456 twice using passports of the United States.",
    "SSNs: 536-90-4399, 536904399. Licences like D1234567 expire 12/2031.",
    "Pay 4111 1111 1111 1111 or GB33BUKB20201555555555 by 2024-05-01 08:30.",
    "See https://example.com/a?b=1 or mail jane.smith@example.co.uk, note:this server 10.0.0.1 is fe80::1.",
    "On 3/10/2011 John\nSmith's team, Acme Ltd. of Berlin, was paid $ 5,000.00 for 211-227 (2003).",
    "Die Straße in Köln, tel 0221 / 123456",
    "電話 \uff10\uff13-\uff11\uff12\uff13\uff14-\uff15\uff16\uff17\uff18. İstanbul K 00",
    "Nothing of note was seen. The quick brown fox. Dr. Who. It is I.",
    "wallet 1BoatSLRHtKNngkdXEeobR76b53LeTtpyT and bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "mac 00:1A:2B:3C:4D:5E; DEA BB1388568; NHS 401 023 2137; AA 123456 C; driver's permits X1234567",
)


def documents(count, seed=0):
    """Texts put together of sentences with and without findings."""
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(PARTS, k=chosen.randint(1, 6))) for _ in range(count)] + ["", " ", "\n\n", "0"]


def spans(found):
    return [(s.start, s.stop, s.entity, s.score) for s in found]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entities", "threshold"),
    [(DEFAULT, 0.35), (PATTERNS, 0.35), ((*NAMES, *ABROAD, *PATTERNS), 0.0), ((*PATTERNS, *ABROAD), 0.5)],
    ids=["default", "patterns", "everything", "patterns above a half"],
)
def test_findings_are_those_of_presidio(entities, threshold):
    from filters.pii.of_language import OfLanguage
    from filters.pii.pipelines import Pipeline

    pipeline = Pipeline(RedactPii(model=MODEL).models()[0])
    ours, loop = OfLanguage("en", pipeline, entities, threshold), Loop(entities, threshold)
    texts = documents(60)
    found = [spans(each) for each in ours.find(texts)]
    assert found == [sorted(loop.find(text)) for text in texts]
    assert sum(map(len, found)) > 100


@pytest.fixture(scope="module")
def detector():
    return TextDetector(RedactPii(model=MODEL))


def test_a_text_alone_is_as_in_a_batch_whatever_its_order(detector):
    texts = documents(20, seed=1)
    together = list(detector.find(texts))
    assert [next(iter(detector.find([text]))) for text in texts] == together
    assert list(detector.find(texts[::-1])) == together[::-1]
    assert list(detector.find([texts[0]] * 3)) == [together[0]] * 3


def test_no_sentence_starts_within_a_name(detector):
    """spaCy's recognizer would join names over the full stop that its parser takes for the end of a sentence."""
    text = "You can tell Cecilie was a huge Cecilie Josefsen fan. Written when he was 21. Who's coming? Helena Carlsen"
    nlp = spacy.load(MODEL)
    theirs = [(e.start_char, e.end_char) for e in nlp(text).ents if e.label_ == "PERSON"]
    assert [(s.start, s.stop) for s in next(iter(detector.find([text]))) if s.entity == "PERSON"] == theirs


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    """A German pipeline that knows one name."""
    nlp = spacy.blank("de")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Erika Mustermann"}])
    folder = tmp_path_factory.mktemp("de")
    nlp.to_disk(folder)
    return str(folder)


@pytest.mark.parametrize("policy", ["patterns_only", "treat_as_default"])
def test_each_language_has_its_pipeline_and_its_recognizers(german, policy):
    stage = RedactPii(
        model=MODEL,
        pipelines={"de": german},
        language_column="language",
        unknown_language=policy,
        entities=("PERSON", "EMAIL_ADDRESS", "DE_VAT_ID", "US_SSN"),
    )
    detector = TextDetector(stage)
    text = "Erika Mustermann, DE136695976, 536-90-4399, e.m@example.de, and John Smith"
    texts, languages = [text] * 3, ["de-AT", "en", "nl"]
    assert [detector.refusal(language) for language in languages] == [None] * 3
    german_found, english, dutch = ({s.entity for s in found} for found in detector.find(texts, languages))
    assert german_found == {"PERSON", "EMAIL_ADDRESS", "DE_VAT_ID"}
    assert english == {"PERSON", "EMAIL_ADDRESS", "US_SSN"}
    assert dutch == ({"EMAIL_ADDRESS"} if policy == "patterns_only" else english)


@pytest.mark.parametrize("policy", ["fail", "drop"])
def test_a_language_without_a_pipeline_is_never_passed_over(policy):
    detector = TextDetector(RedactPii(model=MODEL, entities=("EMAIL_ADDRESS",), unknown_language=policy))
    assert [detector.refusal(code) for code in ("en", "nl", None)] == [None, "no_model_for_nl", "no_model_for_und"]
    with pytest.raises(StageError, match="no spaCy pipeline for language 'nl'"):
        list(detector.find(["a@example.com"], ["nl"]))


def test_a_pipeline_of_another_language_is_refused(german):
    with pytest.raises(ModelError, match=r"pipelines: fr: 'de_pipeline .*' is for language 'de'"):
        TextDetector(RedactPii(model=MODEL, pipelines={"fr": german}))
    with pytest.raises(ModelError, match="`model` is for 'de' already"):
        TextDetector(RedactPii(model=german, pipelines={"de": german}))


def test_a_kind_that_nothing_finds_in_the_languages_is_refused():
    with pytest.raises(StageError, match="nothing finds 'ES_NIF' in en"):
        TextDetector(RedactPii(model=MODEL, entities=("ES_NIF",)))
