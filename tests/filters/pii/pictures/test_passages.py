"""Texts made of lines lead back to the lines and characters they came from."""

import pytest

from filters.pii.pictures.passages import passages, written
from filters.pii.pictures.reading import Line
from filters.pii.spans import Span


def line(text, left=0, top=0, height=20, gaps=()):
    right = left + 10 * len(text)
    corners = ((left, top), (right, top), (right, top + height), (left, top + height))
    return Line(text, 0.9, corners, tuple(i / len(text) for i in range(len(text) + 1)), gaps)


def texts(*lines):
    return [passage.text for passage in passages(lines)]


@pytest.mark.parametrize(
    ("read", "restored"),
    [
        ("Contact:JaneSmith,jane.smith@example.com", "Contact: Jane Smith, jane.smith@example.com"),
        ("Phone(212)555-0187SSN536-90-4399", "Phone (212)555-0187 SSN 536-90-4399"),
        ("12OakStreet", "12 Oak Street"),
        ("A4", "A4"),
        ("3rd of 5pm", "3rd of 5pm"),
        ("10:30, at 4,500", "10: 30, at 4, 500"),
    ],
)
def test_lost_blanks_are_put_back(read, restored):
    assert written(line(read)) == restored
    assert {read, restored} <= set(texts(line(read)))


def test_bare_paper_is_a_blank():
    assert written(line("janesmith", gaps=(4,))) == "jane smith"
    assert texts(line("janesmith", gaps=(4,))) == ["janesmith", "jane smith"]


def test_lines_are_seen_alone_together_and_in_blocks():
    form = (line("Jane", 0, 0), line("Menu", 400, 0), line("Smith", 0, 24), line("soup", 400, 24))
    assert texts(*form) == [
        "Jane", "Menu", "Smith", "soup", "Jane\nMenu\nSmith\nsoup", "Jane Smith", "Menu soup"
    ]  # fmt: skip


def test_what_is_far_below_or_of_another_size_is_no_block():
    assert texts(line("Jane"), line("Smith", top=80)) == ["Jane", "Smith", "Jane\nSmith"]
    assert texts(line("Jane"), line("Smith", top=24, height=60)) == ["Jane", "Smith", "Jane\nSmith"]


def test_a_finding_goes_back_to_its_characters():
    lines = (line("callJane"), line("Smith-now", top=24))
    (block,) = [p for p in passages(lines) if p.text == "call Jane Smith-now"]
    assert [*block.in_lines(Span(5, 15, "PERSON", 0.8, "r"))] == [
        (0, Span(4, 8, "PERSON", 0.8, "r")), (1, Span(0, 5, "PERSON", 0.8, "r"))
    ]  # fmt: skip
    for passage in passages(lines):
        for character, place in zip(passage.text, passage.origin, strict=True):
            assert character in " \n" if place is None else lines[place[0]].text[place[1]] == character
    assert passages([]) == []
