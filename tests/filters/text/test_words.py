"""Words against those of spaCy's own English tokenizer, and what the shared reading promises."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passages import ARTICLES, PAGES, PIECES
from plain import words as plain_words

from filters.text import memo, slices
from filters.text.memo import measured
from filters.text.slices import hashes_of, slice_of, slices_of
from filters.text.words import by_character, words_of

EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=400)
CHUNKS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)


def spelled(words):
    text = words.slice.points.tobytes().decode("utf-32-le")
    pieces = [text[a:b] for a, b in zip(words.starts.tolist(), words.ends.tolist(), strict=True)]
    return [pieces[a:b] for a, b in zip(words.offsets[:-1], words.offsets[1:], strict=True)]


def ours(texts):
    return [row for text in slices_of(pa.array(texts, pa.string())) for row in spelled(words_of(text))]


def test_words_are_spacys_on_real_texts():
    assert ours(PAGES) == [plain_words(page) for page in PAGES]


@EXAMPLES
@given(texts=st.lists(CHUNKS, max_size=8))
def test_words_are_spacys_on_made_chunks(texts):
    """Chunk by chunk: an emoticon's signs in two chunks, as in `5' 's'`, have spaCy overlook one within the second."""
    assert ours(texts) == [plain_words(text) for text in texts]


def test_characters_of_scripts_without_spaces_are_words():
    text = slice_of("人人生而, ok กำลัง", [14])
    assert spelled(by_character(words_of(text))) == [["人", "人", "生", "而", ",", "ok", "ก", "ำ", "ลั", "ง"]]


def test_a_ruled_line_takes_few_rounds():
    """Both ends of a chunk lose a sign a round, but runs of one sign go at once."""
    (words,) = ours(["(" * 100_000 + "word" + "=" * 100_000])
    assert len(words) in (100_001, 100_002)
    assert words[0] == "("


def test_slices_end_with_rows(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_BYTES", 200)
    whole = ours(PAGES)
    assert len(list(slices_of(pa.array(PAGES)))) > len(PAGES) // 2
    assert whole == [plain_words(page) for page in PAGES]
    assert list(slices_of(pa.array([], pa.string()))) == []


def test_a_slice_of_an_array_is_read_from_its_offset():
    array = pa.array(["no", *ARTICLES.values(), "no"]).slice(1, len(ARTICLES))
    assert ours(array.to_pylist()) == [row for text in slices_of(array) for row in spelled(words_of(text))]


def test_hashes_do_not_depend_on_the_place():
    (text,) = slices_of(pa.array(["word and word", "a word"]))
    starts, ends = np.array([0, 9, 15]), np.array([4, 13, 19])
    assert len(set(text.hashes(starts, ends).tolist()) | set(hashes_of(["word"]).tolist())) == 1


def test_text_that_is_not_utf8_is_one_rows_error():
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xff")]
    )
    with pytest.raises(UnicodeDecodeError):
        list(slices_of(broken))


def counting(calls):
    def measure(read):
        calls.append(read.text.rows)
        return [read.words.counts()]

    return measure


def test_the_next_stage_reads_nothing_anew():
    memo._kept.clear()
    column = pa.array([f"{page} {number}" for number, page in enumerate(PAGES)])
    (whole,) = measured(column, counting([]))
    reads = [id(read) for batch in memo._kept for read in batch.reads]
    rest = column.filter(pa.array([number % 4 != 0 for number in range(len(column))]))
    (fewer,) = measured(rest, counting([]))
    assert fewer.tolist() == [count for number, count in enumerate(whole.tolist()) if number % 4]
    assert [id(read) for batch in memo._kept for read in batch.reads] == reads
    (one,) = measured(column.slice(2, 1), counting(calls := []))
    assert (one.tolist(), calls) == ([whole.tolist()[2]], [1])  # too few of a slice's rows are left: read alone


def test_little_is_kept(monkeypatch):
    memo._kept.clear()
    monkeypatch.setattr(memo, "KEPT_BYTES", 100)
    measured(pa.array(["word " * 100]), counting([]))
    assert len(memo._kept) == 0
    for number in range(5):
        measured(pa.array([f"word {number}"]), counting([]))
    assert len(memo._kept) == memo.KEPT_BATCHES


def test_equal_rows_are_each_measured():
    (counts,) = measured(pa.array(["a b", "c", "a b", None, "a b"]), counting([]))
    assert counts.tolist() == [2, 1, 2, 0, 2]
