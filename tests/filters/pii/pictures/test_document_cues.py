"""Cues of documents are found as readers leave them, and sentences that only use their words are none."""

from collections import defaultdict

import pytest

from filters.pii.luhn import passes_luhn
from filters.pii.pictures.document_cues import check_digit, checked, cues, plain

ZONE = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
"""The specimen of ICAO Doc 9303, part 4."""
SQUARE = (800, 800)


def scores(lines, size=SQUARE):
    doubt = defaultdict(lambda: 1.0)
    for cue in cues(lines, *size):
        doubt[cue.kind] *= 1 - cue.weight
    return {kind: 1 - left for kind, left in doubt.items()}


def test_check_digits_are_those_of_the_specimen():
    assert check_digit("L898902C3") == "6"
    assert check_digit("740812") == "2"
    assert check_digit("120415") == "9"
    assert checked(ZONE[1])
    assert not checked(ZONE[1].replace("7408122", "7408123"))
    assert checked("7408122F1204159UTO<<<<<<<<<<<6")


@pytest.mark.parametrize("lines", [ZONE, (ZONE[1],), ("P<UTOERIKSSON << ANNA<MARIA <<<<<<<<<<<<<<<<<<<",)])
def test_a_machine_readable_zone_is_enough(lines):
    assert max(scores(lines).values()) > 0.7


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("identity_card", ("PERSONALAUSWEIS", "Nachname MUSTERMANN", "Geburtsdatum 12.08.1974")),
        ("identity_card", ("CARTE NATIONALE DIDENTITE", "Prénom(s): ANNA", "Lieu de naissance PARIS")),
        ("passport", ("PASSPORT", "SurnameERIKSSON", "Dateofbirth 12AUG1974")),
        ("driving_licence", ("DRIVER LICENSE", "DLno123456789", "Expires 04/15/2032", "Sex F")),
        ("payment_card", ("Harbour Bank", "4111 1111 1111 1111", "VALIDTHRU 09/31")),
        ("payment_card", ("4111111111111111", "09/31", "ANNA ERIKSSON")),
        ("cv", ("Curriculum Vitae", "Work experience", "Education")),
        ("cv", ("Lebenslauf", "Berufserfahrung", "Ausbildung", "Sprachkenntnisse")),
        ("cv", ("Employment history", "Education", "Skills", "Languages")),
    ],
)
def test_documents_are_told_with_their_kind(kind, lines):
    found = scores(lines)
    assert max(found, key=found.get) == kind
    assert found[kind] > 0.5


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Get your PASSPORT ready!", "Flights from 99"),
        ("His surname was known to nobody", "nor the date of his birth"),
        ("In which the education of a boy begins", "and his skills grow"),
        ("Registration form", "Name of pupil", "Class"),
        ("4000 1234 5678 9013", "QTY 12/24"),
        ("References", "[1] On harbours, 1999"),
        ("Order 4111 1111 1111 1111",),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",),
        ("A<B", "x << y"),
        ("Dr. Jane Smith", "jane.smith (at) harbour (dot) example", "Tel 0171 / 555 01 41"),
    ],
)
def test_other_writing_is_none(lines):
    assert max(scores(lines).values(), default=0) <= 0.5


def test_a_cards_sides_add_to_what_is_written_and_are_nothing_alone():
    card = (856, 540)
    assert scores(("Holiday greetings",), card) == {}
    lines = ("PASSPORT", "Surname ERIKSSON")
    assert scores(lines, card)["passport"] > scores(lines)["passport"]


def test_plain_forgets_blanks_accents_and_case():
    assert plain("Prénom(s): Größe") == "prenomsgrosse"


def test_luhn():
    assert passes_luhn("4111111111111111")
    assert not passes_luhn("4111111111111112")
