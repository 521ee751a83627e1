"""A screen never says no where an expression matches; phone numbers are those of the library."""

import re
import string

import phonenumbers
import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from presidio_analyzer import EntityRecognizer, PatternRecognizer
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from filters.pii.entities import Entity
from filters.pii.needs import FOLDED_FROM_OUTSIDE
from filters.pii.patterns import Hit, without_duplicates
from filters.pii.phones import FEWEST, PhoneSearch
from filters.pii.prescreen import Screened, screen
from filters.pii.presidio import load_recognizers

LANGUAGES = ("en", "de", "es", "it", "pl", "fi", "ko", "sv", "th", "tr", "fr")
RECOGNIZERS = [one for code in LANGUAGES for one in load_recognizers(code, Entity.__args__)]
EXPRESSIONS = sorted(
    {(p.regex, r.global_regex_flags) for r in RECOGNIZERS if isinstance(r, PatternRecognizer) for p in r.patterns}
)
# What expressions are made of, and what surprises: other digits, letters that equal ASCII ones, blanks of all kinds.
PIECES = [
    *string.digits * 2,
    *string.ascii_letters,
    *" .-/:@+()[]\"'_,%\n\t",
    "://",
    "www.",
    ".com",
    "İ",
    "K",
    "\u017f",
]
PIECES += [
    "٣",
    "\uff13",
    "é",
    "電",
    "\x1c",
    "\u00a0",
    "4111111111111111",
    "536-90-4399",
    "10.0.0.1",
    "fe80::1",
    "a@b.co",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def windowed(expression, one, text):
    found = []
    for start, stop, end in Screened(text).windows(one):
        found += [m.span() for m in expression.finditer(text, start, end) if m.start() < stop]
    return found


COMPILED = [(regex.compile(pattern, flags), screen(pattern, flags)) for pattern, flags in EXPRESSIONS]


@settings(derandomize=True, deadline=None, max_examples=50)
@given(TEXTS)
def test_windows_hold_every_match(text):
    for expression, one in COMPILED:
        assert windowed(expression, one, text) == [m.span() for m in expression.finditer(text)], expression.pattern[:80]


def can_be_made(pattern):
    """Whether texts can be drawn from an expression: it is not one for `regex` alone, nor a list of all domains."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return len(pattern) < 1000


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=5)
@given(st.data())
def test_windows_hold_what_is_made_to_match(data):
    """Texts made from an expression itself hold matches, which arbitrary ones seldom do."""
    for pattern, flags in EXPRESSIONS:
        if not can_be_made(pattern):
            continue
        made = data.draw(st.from_regex(pattern, fullmatch=False, alphabet=st.characters(max_codepoint=0x2FF)))
        expression, one = regex.compile(pattern, flags), screen(pattern, flags)
        assert windowed(expression, one, made) == [m.span() for m in expression.finditer(made)], pattern[:80]


def test_only_three_letters_equal_one_beyond_ascii_where_case_is_ignored():
    equal = {
        letter
        for letter in string.ascii_letters
        for other in map(chr, range(128, 0x3000))
        if regex.fullmatch(letter, other, regex.IGNORECASE)
    }
    assert {letter for letter in equal if not FOLDED_FROM_OUTSIDE >> ord(letter) & 1} == set()


PHONE = PhoneRecognizer(supported_language="en")
NUMBERS = ["212-555-0187", "+44 20 7946 0958", "(030) 901820", "011 44 20 7946 0958", "00442079460958", "0 800 1111"]
NUMBERS += ["1-800-555-0199 x12", "2012-01-02 08:00", ":30", "31/10/96", "211-227 (2003)", "(11) 91234-5678", "10 1990"]
NUMBER_PIECES = [*string.digits * 3, *" -./()+[]x;,#~", *"aé$%", "\uff10", "\uff0b", " ext. ", *NUMBERS]


@settings(derandomize=True, deadline=None, max_examples=600)
@given(st.lists(st.sampled_from(NUMBER_PIECES), max_size=25).map("".join))
@example("call +1 212-555-0187/212-555-0123 or 030 901820")
@example("1 " * 2000 + "212-555-0187")
def test_phone_numbers_are_those_of_presidio(text):
    theirs = {(r.start, r.end) for r in PHONE.analyze(text, ["PHONE_NUMBER"], None)}
    assert set(PhoneSearch(PHONE).find(text)) == theirs


def test_no_number_is_shorter_than_a_candidate_must_be():
    for region in phonenumbers.SUPPORTED_REGIONS:
        assert min(phonenumbers.PhoneMetadata.metadata_for_region(region).general_desc.possible_length) >= FEWEST


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.sampled_from("AB"), st.sampled_from([0.4, 0.5, 1.0])))
)
def test_duplicates_go_as_in_presidio(found):
    from presidio_analyzer import RecognizerResult

    hits = [Hit(start, start + length, entity, score, 0) for start, length, entity, score in found]
    theirs = EntityRecognizer.remove_duplicates([RecognizerResult(h.entity, h.start, h.stop, h.score) for h in hits])
    assert sorted(without_duplicates(hits)) == sorted(Hit(r.start, r.end, r.entity_type, r.score, 0) for r in theirs)
