"""The index of n-grams against a dictionary of tuples of words, looked up word by word."""

from collections import defaultdict
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.evaluation import Item
from curate.dedupe.ngrams import Index, Looking

EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=200)
ALL = ("query", "label", "across")
TEXT = st.lists(st.sampled_from("abc0"), max_size=9).map(" ".join)
ITEMS = st.lists(st.builds(lambda q, a: Item("", tuple(q), tuple(a)), *[st.lists(TEXT, max_size=2)] * 2), max_size=4)
HOW = st.builds(
    Looking, st.integers(2, 5), st.integers(2, 4), st.lists(st.sampled_from(ALL), min_size=1, unique=True).map(tuple),
    st.none() | st.integers(1, 2), st.sampled_from((0.0, 0.4, 1.0)),
)  # fmt: skip


def plain_index(items, how, allowed):
    """n-gram to items."""
    items_of, texts_of = defaultdict(set), defaultdict(set)
    for number, item in enumerate(items):
        queries, labels = ([tuple(text.split()) for text in texts] for texts in (item.queries, item.labels))
        wanted = (queries if "query" in how.parts else []) + (labels if "label" in how.parts else [])
        if "across" in how.parts:
            wanted += [q[-(how.n - 1) :] + a[: how.n - 1] for q, a in product(queries, labels) if q and a]
        for text in wanted:
            if len(text) >= min(how.shortest, how.n):
                length = min(how.n, len(text))
                for at in range(len(text) - length + 1):
                    items_of[text[at : at + length]].add(number)
                    texts_of[text[at : at + length]].add(text)
    none = {
        p[at : at + size] for p in map(tuple, map(str.split, allowed)) for size in range(1, 9) for at in range(len(p))
    }
    return {
        gram: numbers for gram, numbers in items_of.items()
        if gram not in none and gram.count("0") <= how.most_numbers * len(gram)
        and (how.common is None or len(texts_of[gram]) <= how.common)
    }  # fmt: skip


def plain_find(index, texts):
    """Hits of each text; and how many distinct n-grams of each item each text holds."""
    hits, found = [], {}
    for row, text in enumerate(texts):
        words = tuple(text.split())
        there = [words[a : a + size] for size in {len(gram) for gram in index} for a in range(len(words) - size + 1)]
        there = [gram for gram in there if gram in index]
        hits.append(len(there))
        for gram in set(there):
            for item in index[gram]:
                found[row, item] = found.get((row, item), 0) + 1
    return hits, found


@EXAMPLES
@given(ITEMS, HOW, st.lists(TEXT, max_size=1), st.lists(TEXT, max_size=4))
def test_index_finds_what_a_dictionary_finds(items, how, allowed, texts):
    index = Index({"set": items}, how, allowed)
    plain = plain_index(items, how, allowed)
    totals = [sum(number in numbers for numbers in plain.values()) for number in range(len(items))]
    assert index.totals.tolist() == totals
    found = index.find(pa.array(texts, pa.string()), np.arange(len(texts)), len(texts))
    hits, by_item = plain_find(plain, texts)
    assert found.hits.tolist() == hits
    pairs = zip(found.rows.tolist(), found.items.tolist(), strict=True)
    assert dict(zip(pairs, found.found.tolist(), strict=True)) == by_item
    assert found.rows.tolist() == sorted(found.rows.tolist())


def look(items, texts, **how):
    settings = {"n": 4, "shortest": 3, "parts": ALL, "common": None, "most_numbers": 1} | how
    return Index({"set": items}, Looking(**settings)).find(pa.array(texts), np.arange(len(texts)), len(texts))


def test_a_run_never_crosses_texts():
    items = [Item("0", ("a b c d",), ())]
    assert look(items, ["x a b", "c d y", "a b c d"]).hits.tolist() == [0, 0, 1]


def test_texts_of_one_row_are_counted_together():
    index = Index({"set": [Item("0", ("a b c d e",), ())]}, Looking(4, 4, ALL, None, 1))
    found = index.find(pa.array(["a b c d", "b c d e", "a b c d e"]), np.array([1, 1, 0]), 2)
    assert found.hits.tolist() == [2, 2]
    assert found.found.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("parts", "hits"), [(("query",), [1, 0, 0]), (("label",), [0, 1, 0]), (("across",), [0, 0, 1]), (ALL, [1, 1, 1])]
)
def test_parts_say_what_is_looked_for(parts, hits):
    texts = ["a b c d", "e f g h", "c d e f"]
    assert look([Item("0", ("a b c d",), ("e f g h",))], texts, parts=parts).hits.tolist() == hits


def test_a_short_text_is_looked_for_whole():
    items = [Item("0", ("a b c",), ()), Item("1", ("x y",), ())]
    assert look(items, ["z a b c z", "a b z", "x y"]).hits.tolist() == [1, 0, 0]


def test_the_text_of_many_questions_is_one_text():
    passage = "a b c d"
    items = [Item(str(i), (passage, f"q{i} q q q"), ()) for i in range(9)]
    assert look(items, [passage], common=1).items.tolist() == list(range(9))


def test_an_ngram_of_many_texts_is_a_phrase_of_the_test():
    items = [Item(str(i), (f"which of these is {name}",), ()) for i, name in enumerate("xyz")]
    assert look(items, ["which of these is", "of these is y"], common=2).hits.tolist() == [0, 1]
    assert look(items, ["which of these is", "of these is y"], common=3).hits.tolist() == [1, 1]


def test_first_hashes_alone_are_not_believed():
    index = Index({"set": [Item("0", ("a b c d",), ())]}, Looking(4, 4, ALL, None, 1))
    index.lengths[0].second[:] ^= np.uint64(1)
    assert index.find(pa.array(["a b c d"]), np.arange(1), 1).hits.tolist() == [0]


def test_a_long_document_of_one_phrase_is_found_without_growing():
    found = look([Item("0", ("a b c d",), ())], ["a b c d " * 1_000_000])
    assert (found.hits.tolist(), found.found.tolist()) == ([1_000_000], [1])


def test_tables_of_numbers_are_no_copies_of_each_other():
    items = [Item("0", ("1:8:28:56:70", "7 hens and 12 eggs"), ())]
    texts = ["1 2 3 4 5 6", "9 hens and 100 eggs"]
    assert look(items, texts, most_numbers=0.5).hits.tolist() == [0, 2]
    assert look(items, texts, most_numbers=1).hits.tolist() == [3, 2]
