"""What is compared of documents' paragraphs, and what is refused; whole runs are in tests/run/reduce."""

import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.dedupe.repeated_paragraphs import RepeatedParagraphs

FIRST, SECOND = "A paragraph that is long enough.", "Another one, which is long enough too."


def sketch(*texts, **settings):
    return RepeatedParagraphs(**settings).open()(pa.table({"text": pa.array(texts, pa.string())}))


def test_each_paragraph_is_a_record_of_its_document():
    found = sketch(f"{FIRST}\n\nshort\n\n{SECOND}", None, "", FIRST.upper())
    assert (found.row.tolist(), found.piece.tolist()) == ([0, 0, 3], [0, 2, 0])
    assert found.node[0] == found.node[2] != found.node[1]
    assert found.check[0] == found.check[2] != found.check[1]


def test_lines_are_compared_where_asked():
    found = sketch(f"{FIRST}\n{SECOND}", unit="line")
    assert (found.row.tolist(), found.piece.tolist()) == ([0, 0], [0, 1])


def test_what_follows_has_the_same_settings():
    after = RepeatedParagraphs(unit="line", min_chars_left=7).then()
    assert (after.unit, after.min_chars_left) == ("line", 7)


@pytest.mark.parametrize("settings", [{"keep": "smallest_key"}, {"keep": "highest", "score": "width"}])
def test_the_first_of_each_is_kept_and_no_other(settings):
    with pytest.raises(ValidationError, match="the first in the corpus is kept"):
        RepeatedParagraphs(**settings)
