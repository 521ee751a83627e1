"""Every rule against a plain statement of it, on real texts and on ones made to repeat and to break lines oddly."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passages import PAGES, PIECES
from plain import c4, fineweb_quality, gopher_quality, gopher_repetition

from filters.text.c4_lines import C4Lines
from filters.text.c4_quality import C4Quality
from filters.text.fineweb_quality import FinewebQuality
from filters.text.gopher_quality import GopherQuality
from filters.text.gopher_repetition import GopherRepetition

STAGES = {
    "gopher_quality": (GopherQuality(unspaced="runs"), gopher_quality),
    "gopher_repetition": (GopherRepetition(), gopher_repetition),
    "c4_quality": (C4Quality(), lambda text: c4(text)[0]),
    "fineweb_quality": (FinewebQuality(unspaced="runs"), fineweb_quality),
}
EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=60)
BREAKS = st.sampled_from((" ", " ", " ", " ", "\n", "\n", "\n\n", "\n\n\n", "\r\n", "  ", "\t", "", "\u2028", "\n \n"))
TEXTS = st.lists(st.tuples(st.sampled_from(PIECES), BREAKS), max_size=60).map(
    lambda some: "".join(a + b for a, b in some)
)
REPEATING = st.lists(st.sampled_from(("a", "b", "ab", "b c.", "a\n", "c\n\n", "... ", "c d e f g.")), max_size=120).map(
    " ".join
)


def columns(stage, texts):
    table = pa.table({"text": pa.array(texts, pa.string())})
    return pa.table(stage.open()(table), names=[field.name for field in stage.outputs()])


def measurements(stage, texts):
    return [list(row.values()) for row in columns(stage, texts).to_pylist()]


def alike(measured, expected):
    """Equal within the precision of float32, nulls in the same places."""
    known = [None if value is None else pytest.approx(value, rel=1e-6) for value in expected]
    return measured == known


@pytest.mark.parametrize("name", STAGES)
def test_equals_the_plain_rule_on_real_texts(name):
    stage, plain = STAGES[name]
    for text, measured in zip(PAGES, measurements(stage, PAGES), strict=True):
        assert alike(measured, plain(text)), text


@pytest.mark.parametrize("name", STAGES)
@EXAMPLES
@given(texts=st.lists(TEXTS | REPEATING, max_size=6))
def test_equals_the_plain_rule_on_made_texts(name, texts):
    stage, plain = STAGES[name]
    for text, measured in zip(texts, measurements(stage, texts), strict=True):
        assert alike(measured, plain(text)), text


@EXAMPLES
@given(texts=st.lists(TEXTS | st.sampled_from(PAGES), max_size=6))
def test_lines_are_taken_out_as_the_plain_rule_does(texts):
    edited = C4Lines().open()(pa.table({"text": pa.array(texts, pa.string())}))
    left = [c4(text)[1] for text in texts]
    assert edited.columns["text"].to_pylist() == left
    assert edited.changed.to_pylist() == [text != after for text, after in zip(texts, left, strict=True)]
    assert edited.dropped.to_pylist() == [None if after else "no_lines" for after in left]


@pytest.mark.parametrize("name", STAGES)
def test_a_row_is_measured_alone(name):
    """The same in any batch: whole, in another order, after other rows went, and one by one."""
    stage, _ = STAGES[name]
    whole = measurements(stage, PAGES)
    assert measurements(stage, PAGES[::-1]) == whole[::-1]
    assert measurements(stage, PAGES[::3]) == whole[::3]
    assert [measurements(stage, [text])[0] for text in PAGES] == whole


@pytest.mark.parametrize("name", STAGES)
def test_null_is_unmeasured_and_empty_is_dropped(name):
    stage, _ = STAGES[name]
    scores = columns(stage, [None, ""])
    assert list(scores.to_pylist()[0].values()) == [None] * scores.num_columns
    assert scores.column(0)[1].as_py() == 0
    reason = {"gopher_quality": "few_words", "c4_quality": "few_sentences"}.get(name, "empty")
    assert stage.decide(scores).to_pylist() == [None, reason]


@pytest.mark.parametrize("name", STAGES)
def test_every_rule_drops_by_a_reason_of_its_own_and_null_turns_it_off(name):
    """Each threshold alone, put where no text passes, gives its reason; all off, nothing is dropped."""
    stage, _ = STAGES[name]
    scores = columns(stage, [PAGES[0] + "\n" + PAGES[0] + " # ... a b a b"])
    bounds = [name for name in type(stage).model_fields if name.endswith(("_at_least", "_at_most"))]
    off = dict.fromkeys(bounds)
    assert stage.model_copy(update=off).decide(scores).to_pylist() == [None]
    reasons = set()
    for bound in bounds:
        limit = 10**6 if bound.endswith("_at_least") else -1
        (reason,) = stage.model_copy(update={**off, bound: limit}).decide(scores).to_pylist()
        reasons.add(reason)
    assert None not in reasons
    assert len(reasons) == len(bounds)
    assert {stage.model_copy(update=off).identity(), stage.identity()} == {stage.identity()}


def test_bounds_are_inclusive():
    """Three lines of ten end with an ellipsis: 0.3 is not above 0.3, in whatever type it is stored."""
    text = "\n".join(["words end here..."] * 3 + ["words end here."] * 7)
    stage = GopherQuality(
        ellipses_at_most=None, alphabetic_words_at_least=None, stop_words_at_least=None, words_at_least=None
    )
    assert stage.decide(columns(stage, [text])).to_pylist() == [None]


def test_known_documents():
    article = PAGES[0]
    good = GopherQuality()
    assert good.decide(columns(good, [article])).to_pylist() == [None]
    bad = {
        "few_words": "Just a few words of the many.",
        "bullet_lines": "- consider the opinion of several members that have spoken with everyone\n" * 20,
        "few_stop_words": "Alpine meadows bloom early. " * 20,
        "hashes": "#tag the word of that " * 30,
        "few_alphabetic_words": "the 1234 5678 3456 and 7890 1234 2011 of " * 20,
        "long_words": "the internationalization and denationalization " * 30,
    }
    assert good.decide(columns(good, list(bad.values()))).to_pylist() == list(bad)


@pytest.mark.parametrize(
    "stage", [GopherQuality(), FinewebQuality(), GopherRepetition(), C4Quality()], ids=lambda s: s.name
)
def test_the_other_column_is_judged_the_same(stage):
    other = stage.model_copy(update={"column": "caption"})
    table = pa.table({"caption": pa.array(PAGES, pa.string())})
    assert other.inputs() == ("caption",)
    assert [column.to_pylist() for column in other.open()(table)] == [c.to_pylist() for c in columns(stage, PAGES)]
