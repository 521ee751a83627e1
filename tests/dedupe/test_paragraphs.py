"""Lines and paragraphs hashed and taken out, against the same said with split and join."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_folding import plainly

from curate.dedupe.paragraphs import split, without
from curate.dedupe.remove_repeated import RemoveRepeated
from curate.errors import StageError
from curate.stage import FINDINGS

EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=200)
TEXT = st.none() | st.text("aB 1.,\n\t中é", max_size=30) | st.text(max_size=20)
UNITS = pytest.mark.parametrize("unit", ["line", "paragraph"])


def pieces_of(text, unit):
    return re.split(r"\n(?:[ \t\r]*\n)+", text or "") if unit == "paragraph" else (text or "").split("\n")


def rows_of(pieces):
    return list(zip(pieces.row.tolist(), pieces.piece.tolist(), strict=True))


@UNITS
@EXAMPLES
@given(texts=st.lists(TEXT, max_size=5), min_chars=st.integers(0, 6))
def test_pieces_with_one_folding_have_one_hash(unit, texts, min_chars):
    found = split(pa.array(texts, pa.string()), unit, min_chars)
    expected = {
        (row, number): tuple(plainly(piece))
        for row, text in enumerate(texts)
        for number, piece in enumerate(pieces_of(text, unit))
        if plainly(piece) and len(piece.strip()) >= min_chars
    }
    assert rows_of(found) == list(expected)
    for half in (found.node, found.check):
        by_hash = dict(zip(half.tolist(), expected.values(), strict=True))
        assert len(by_hash) == len(set(expected.values()))
        assert [by_hash[h] for h in half.tolist()] == list(expected.values())
    assert not np.array_equal(found.node, found.check) or not len(found.node)


@UNITS
@EXAMPLES
@given(texts=st.lists(TEXT, max_size=5), data=st.data())
def test_what_is_left_is_joined_again(unit, texts, data):
    counts = [len(pieces_of(text, unit)) if text is not None else 0 for text in texts]
    one = [st.none() | st.lists(st.integers(0, n - 1), unique=True) if n else st.none() for n in counts]
    repeated = data.draw(st.tuples(*one))
    cut = without(pa.array(texts, pa.string()), pa.array(repeated, pa.list_(pa.int32())), unit)
    joint = "\n" if unit == "line" else "\n\n"
    expected = [
        joint.join(p for i, p in enumerate(pieces_of(text, unit)) if i not in gone) if gone else text
        for text, gone in zip(texts, repeated, strict=True)
    ]
    assert cut.text.to_pylist() == expected
    assert cut.removed.tolist() == [len(gone or ()) for gone in repeated]


def test_hashes_fold_case_numbers_accents_and_punctuation_and_no_more():
    texts = ["Page 3 of 7!", "page 12 of 999", "Pagé 1, of: 2", "page of 3 7", "page 3 of 7 8"]
    node = split(pa.array(texts), "line", 0).node
    assert len({*node[:3]}) == 1
    assert len({*node}) == 3


def test_a_piece_hashes_alike_in_any_document_and_batch():
    column = pa.chunked_array([pa.array(["x\nthe line\ny"]), pa.array(["word " * 1_000_000, "中 the\nthe line"])])
    found = split(column, "line", 0)
    assert rows_of(found) == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1)]
    assert (found.node[1], found.check[1]) == (found.node[5], found.check[5])


@UNITS
def test_a_document_of_fifty_megabytes(unit):
    line = "a line of the text that is long " * 8
    found = split(pa.array([f"{line}\n\n" * 200_000]), unit, 20)
    assert (len(found.node), len(np.unique(found.node))) == (200_000, 1)
    repeated = pa.ListArray.from_arrays([0, len(found.piece) - 1], pa.array(found.piece[1:]))
    cut = without(pa.array([f"{line}\n\n" * 200_000]), repeated, unit)
    assert cut.text[0].as_py().strip() == line.strip()


def test_a_document_that_was_changed_since_is_refused():
    with pytest.raises(StageError, match="it was changed since"):
        without(pa.array(["a\nb", "c"]), pa.array([[2], None], pa.list_(pa.int32())), "line")


def edited(stage, texts, repeated):
    table = pa.table({"text": pa.array(texts, pa.string()), "repeated": pa.array(repeated, pa.list_(pa.int32()))})
    return stage.open()(table)


def test_edit_cuts_and_tells_what_it_did_and_not_what_it_found():
    texts = ["one\ntwo\nthree", "same", None, "gone", "shorter\nnow"]
    done = edited(RemoveRepeated(min_chars_left=4), texts, [[0, 2], None, None, [0], [0]])
    assert done.columns["text"].to_pylist() == ["two", "same", None, "", "now"]
    assert done.changed.to_pylist() == [True, False, False, True, True]
    assert done.dropped.to_pylist() == ["too_little_left", None, None, "too_little_left", "too_little_left"]
    assert done.findings.schema == FINDINGS
    assert done.findings["row"].to_pylist() == [0, 3, 4]
    assert set(done.findings["reason"].to_pylist()) == {"repeated_lines"}
    assert edited(RemoveRepeated(min_chars_left=3), texts, [[0, 2], None, None, [0], [0]]).dropped.null_count == 4


def test_edit_of_paragraphs_and_of_nothing():
    done = edited(RemoveRepeated(unit="paragraph"), ["a\nb\n \nc\n\n\nd"], [[1]])
    assert done.columns["text"].to_pylist() == ["a\nb\n\nd"]
    assert done.findings["reason"].to_pylist() == ["repeated_paragraphs"]
    assert edited(RemoveRepeated(), [], []).columns.num_rows == 0
