"""Overlaps are settled in one way, and a text is rewritten around what is found in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.pii.spans import Span, merge_overlaps, outside, replace, rewrite, surest_within


def spans(*found):
    return [Span(start, stop, kind, score, "r") for start, stop, kind, score in found]


def test_overlapping_findings_leave_nothing_of_either():
    found = spans((0, 12, "PERSON", 0.85), (8, 20, "PHONE_NUMBER", 0.4), (20, 25, "US_SSN", 0.5))
    for order in (found, found[::-1]):
        merged = merge_overlaps(order)
        assert [(s.start, s.stop, s.entity) for s in merged] == [(0, 20, "PERSON"), (20, 25, "US_SSN")]


def test_best_of_overlapping_findings_is_the_surest_then_the_longest():
    inside = spans((0, 20, "PERSON", 0.85), (5, 15, "EMAIL_ADDRESS", 1.0))
    assert [(s.start, s.stop, s.entity) for s in merge_overlaps(inside)] == [(0, 20, "EMAIL_ADDRESS")]
    equal = spans((0, 5, "URL", 0.5), (3, 20, "IP_ADDRESS", 0.5))
    assert merge_overlaps(equal)[0].entity == "IP_ADDRESS"
    assert merge_overlaps([]) == []


def test_replacing_keeps_what_is_around():
    assert replace("ab cd ef", spans((0, 2, "PERSON", 1), (6, 8, "URL", 1))) == "<PERSON> cd <URL>"
    assert replace("ab", []) == "ab"


def test_the_finding_that_names_a_merged_span_is_told():
    found = spans((0, 12, "PERSON", 0.85), (6, 20, "EMAIL_ADDRESS", 1.0), (18, 25, "PERSON", 0.85))
    (merged,) = merge_overlaps(found)
    assert (merged.start, merged.stop) == (0, 25)
    assert surest_within(merged, found) == found[1]


def test_what_an_earlier_redaction_wrote_is_cut_out():
    kept = [(4, 12), (20, 28)]
    for found, left in (
        ((0, 4), [(0, 4)]),
        ((0, 6), [(0, 4)]),
        ((4, 12), []),
        ((5, 9), []),
        ((3, 30), [(3, 4), (12, 20), (28, 30)]),
        ((10, 22), [(12, 20)]),
        ((28, 30), [(28, 30)]),
    ):
        assert [(s.start, s.stop) for s in outside(spans((*found, "PERSON", 0.8)), kept)] == left


@pytest.mark.parametrize(
    ("text", "word", "left"),
    [
        ("call John Smith now", "John Smith", "call now"),
        ("call John Smith.", "John Smith", "call."),
        ("John Smith called", "John Smith", "called"),
        ("call John Smith", "John Smith", "call"),
        ("John Smith", "John Smith", ""),
        ("(by John Smith)", "John Smith", "(by)"),
        ("by\nJohn Smith\nin 1980", "John Smith", "by\n\nin 1980"),
        ("x@y.org", "@", "xy.org"),
    ],
)
def test_taking_out_leaves_one_blank_and_none_before_marks(text, word, left):
    start = text.index(word)
    assert rewrite(text, spans((start, start + len(word), "PERSON", 1)), [None]).text == left


def test_neighbours_taken_out_leave_one_blank():
    found = spans((2, 4, "PERSON", 1), (5, 7, "PERSON", 1))
    assert rewrite("a bb cc d", found, [None, None]).text == "a d"
    assert rewrite("a bb cc d", found, [None, None]).places == [(1, 1), (1, 1)]


CUTS = st.lists(st.integers(0, 30), min_size=2, max_size=6, unique=True).filter(lambda cuts: len(cuts) % 2 == 0)


@settings(derandomize=True, deadline=None, database=None)
@given(st.text("ab .\n", min_size=30, max_size=40), CUTS, st.lists(st.sampled_from(["<X>", "****", None]), min_size=3))
def test_places_say_where_stand_ins_are(text, cuts, chosen):
    pairs = list(zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=True))
    stand_ins = chosen[: len(pairs)]
    done = rewrite(text, spans(*((start, stop, "PERSON", 1) for start, stop in pairs)), stand_ins)
    assert [done.text[start:stop] for start, stop in done.places] == [s or "" for s in stand_ins]
    left = "".join(c for i, c in enumerate(text) if not any(start <= i < stop for start, stop in pairs))
    assert without(done.text, done.places).replace(" ", "") == left.replace(" ", "")


def without(text, places):
    for start, stop in reversed(places):
        text = text[:start] + text[stop:]
    return text
