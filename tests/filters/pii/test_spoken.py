"""What people say aloud, written down: what must come out, what must stay as it is, and where it was said."""

import pytest

from filters.pii.spoken import written

# (transcript, as written, kind and words of what only a listener finds)
SAID = (
    ("at five five five, zero one two three.", "at 5550123.", ("SPOKEN_NUMBER", "five five five, zero one two three")),
    ("call 5-5-012-3-4-5-6.", "call 550123456.", ("SPOKEN_NUMBER", "5-5-012-3-4-5-6")),
    ("it is 212, 5, 5, 5, 0, 1, 8, 7", "it is 2125550187", ("SPOKEN_NUMBER", "212, 5, 5, 5, 0, 1, 8, 7")),
    ("double five oh one, triple two", "5501222", ("SPOKEN_NUMBER", "double five oh one, triple two")),
    ("ninety-one forty five to eight six", "9145286", ("SPOKEN_NUMBER", "ninety-one forty five to eight six")),
    ("plus four four two oh seven nine four", "+4420794",
     ("SPOKEN_NUMBER", "plus four four two oh seven nine four")),
    ("at 415, fine, fine, fine, zero one three seven", "at 4155550137",
     ("SPOKEN_NUMBER", "415, fine, fine, fine, zero one three seven")),
    ("is fine-free six, nine zero, four three", "is 5369043",
     ("SPOKEN_NUMBER", "fine-free six, nine zero, four three")),
    ("four, oh, one, too, five for six", "4012546", ("SPOKEN_NUMBER", "four, oh, one, too, five for six")),
    ("eight hundred five five five one two", "80055512", ("SPOKEN_NUMBER", "eight hundred five five five one two")),
    ("one ninety two dot one sixty eight dot one dot ten", "192.168.1.10",
     ("SPOKEN_NUMBER", "one ninety two dot one sixty eight dot one dot ten")),
    ("to jane dot smith at example dot com, please", "to jane.smith@example.com, please",
     ("SPOKEN_ADDRESS", "jane dot smith at example dot com")),
    ("write to j smith at mampl.org.", "write to jsmith@mampl.org.", ("SPOKEN_ADDRESS", "j smith at mampl.org")),
    ("send to jane.mit that example.com.", "send to jane.mit@example.com.",
     ("SPOKEN_ADDRESS", "jane.mit that example.com")),
    ("to jane underscore roe at mail dot example dot org", "to jane_roe@mail.example.org",
     ("SPOKEN_ADDRESS", "jane underscore roe at mail dot example dot org")),
    ("visit us at example dot co dot uk today", "visit us at example.co.uk today",
     ("SPOKEN_ADDRESS", "example dot co dot uk")),
    ("to john.mid.edu.com. Please.", "to john.mid.edu.com. Please.", ("SPOKEN_ADDRESS", "john.mid.edu.com")),
    ("my name is S-M-I-T-H.", "my name is Smith.", ("SPELLED_WORD", "S-M-I-T-H")),
    ("it is j, a, n, e", "it is Jane", ("SPELLED_WORD", "j, a, n, e")),
)  # fmt: skip
ORDINARY = (
    "",
    "   ",
    "I have two or three dogs.",
    "He paid twenty five dollars for it.",
    "Turn left at the second light. It is at 4 Oak Road.",
    "We met in Boston. In the evening it rained, at least for me.",
    "The U.S.A. and the F.B.I. are spelled.",
    "One to one is for two, too.",
    "Mr. Dot came at once to the point.",
    "Dot com companies",
    "That is fine, free, and to find two trees.",
    "naïve Ärzte — «und» 🐕 dogs",
)


@pytest.mark.parametrize(("transcript", "as_written", "found"), SAID, ids=[said[:30] for said, _, _ in SAID])
def test_what_is_said_is_written_down(transcript, as_written, found):
    spoken = written(transcript, 7)
    assert spoken.text == as_written
    assert [(span.entity, transcript[span.start : span.stop]) for span in spoken.found] == [found]


@pytest.mark.parametrize("transcript", ORDINARY)
def test_ordinary_words_stay(transcript):
    spoken = written(transcript, 7)
    assert spoken.found == ()
    assert spoken.text == transcript


def test_short_numbers_are_written_down_and_no_finding():
    spoken = written("room two one four, at half past", 7)
    assert (spoken.text, spoken.found) == ("room 214, at half past", ())
    assert [span.entity for span in written("room two one four", 3).found] == ["SPOKEN_NUMBER"]


@pytest.mark.parametrize(("transcript", "as_written", "found"), SAID)
def test_places_lead_back_to_what_was_said(transcript, as_written, found):
    spoken = written(transcript, 7)
    for start, stop, token in spoken.pieces:
        assert spoken.text[start:stop] == token.text
        assert spoken.heard(start, stop) == (token.start, token.stop)
    whole = spoken.heard(0, len(spoken.text))
    assert transcript[slice(*whole)].strip(" .") == transcript.strip(" .")
    gaps = [i for i, letter in enumerate(spoken.text) if letter == " "]
    assert all(spoken.heard(gap, gap + 1) is None for gap in gaps)
    assert len(as_written) == len(spoken.text)
