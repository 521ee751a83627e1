"""Conversations come from the caption alone, in LLaVA's turns, the same for ever."""

from collections import Counter

import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.sample import column, sample_key
from curate.synthesize import WriteConversations
from curate.synthesize.caption_templates import PHRASE_FORMS, SENTENCE_FORMS, short_form


def write(captions, **options):
    keys = [sample_key([str(i)]) for i in range(len(captions))]
    table = pa.table({"key": keys, "caption": pa.array(captions, pa.string())})
    return WriteConversations(**options).open()(table)


def test_turns_alternate_and_the_picture_stands_once_in_the_first():
    for questions in (1, 2, 3):
        edited = write(["A heron stands in the reeds, waiting for fish."] * 50, questions=questions)
        assert edited.columns.schema.field("conversations").type == column("conversations").type
        for turns in edited.columns["conversations"].to_pylist():
            assert [t["from"] for t in turns] == ["human", "gpt"] * questions
            assert turns[0]["value"].count("<image>") == 1
            assert "<image>" not in "".join(t["value"] for t in turns[1:])
            assert {t["value"] for t in turns[1::2]} == {"A heron stands in the reeds, waiting for fish."}
            asked = [t["value"].replace("<image>", "").strip() for t in turns[::2]]
            assert len(set(asked)) == questions
            assert set(asked) <= set(SENTENCE_FORMS)


def test_forms_and_the_place_of_the_picture_vary_with_the_key_and_every_form_is_used():
    edited = write(["A great blue heron."] * 600)
    first = [turns[0]["value"] for turns in edited.columns["conversations"].to_pylist()]
    used = Counter(value.replace("<image>", "").strip() for value in first)
    assert set(used) == {*SENTENCE_FORMS, *PHRASE_FORMS}
    assert min(used.values()) > 600 / len(used) / 2
    before = sum(value.startswith("<image>\n") for value in first)
    assert 200 < before < 400


def test_phrase_questions_get_the_bare_name():
    edited = write(["A great blue heron."] * 100)
    for turns in edited.columns["conversations"].to_pylist():
        question = turns[0]["value"].replace("<image>", "").strip()
        expected = "great blue heron" if question in PHRASE_FORMS else "A great blue heron."
        assert turns[1]["value"] == expected


def test_golden_turns_of_one_key():
    edited = write(["Some flowers."], questions=2)
    assert edited.columns["conversations"].to_pylist() == [
        [
            {"from": "human", "value": "<image>\nIn a short phrase, what is shown?"},
            {"from": "gpt", "value": "flowers"},
            {"from": "human", "value": "Say what the image shows."},
            {"from": "gpt", "value": "Some flowers."},
        ]
    ]


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("A rose.", "rose"),
        ("An electric guitar.", "electric guitar"),
        ("A tower with a flag", "tower with a flag"),
        ("A US 10 cent piece ($.10) called a dime.", None),
        ("A photo of <PERSON>.", None),
        ("The cat. It sleeps.", None),
        ("Roundabout ahead! Which way?", None),
        ("A tower with a very red flag.", None),
        ("Pawn", None),
        ("", None),
    ],
)
def test_only_captions_that_name_a_thing_are_shortened(caption, name):
    assert short_form(caption) == name


def test_redacted_values_stay_as_they_are():
    edited = write(["A garden. Write to <EMAIL_ADDRESS>."])
    assert edited.columns["conversations"][0].as_py()[1]["value"] == "A garden. Write to <EMAIL_ADDRESS>."


def test_rows_without_a_usable_caption_fail_alone():
    edited = write([None, " \n ", "Look: <image>", "A rose."])
    assert edited.failed.to_pylist() == ["no_caption", "no_caption", "placeholder_in_caption", None]
    assert [turns is None for turns in edited.columns["conversations"].to_pylist()] == [True, True, True, False]


def test_white_space_is_made_plain():
    assert write(["A  row\tof\nwhite houses near water."]).columns["conversations"][0].as_py()[1]["value"] == (
        "A row of white houses near water."
    )


def test_wrong_settings_are_refused():
    for wrong in ({"questions": 0}, {"questions": 4}, {"teacher": "gpt4"}, {"question": 1}):
        with pytest.raises(ValidationError):
            WriteConversations(**wrong)
