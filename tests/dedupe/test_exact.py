"""What makes two rows the same: the bytes of a picture, the words of a text, the page of an address."""

import hashlib
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe import ExactDuplicates
from curate.errors import InputError

ALPHABET = "aAbßÄé ,.-3٣½\u00ad\u200d\n這犬ไṩ\u0301ﬁ\uff21"


def groups(sketch):
    """A number for each row, equal where the rows are the same; None where they are nobody's duplicate."""
    apart = np.zeros(len(sketch.node), bool) if sketch.apart is None else sketch.apart
    pairs = list(zip(sketch.node.tolist(), sketch.check.tolist(), strict=True))
    return [None if alone else pairs.index(pair) for pair, alone in zip(pairs, apart.tolist(), strict=True)]


def of_texts(texts, **options):
    stage = ExactDuplicates(by="text", column="caption", **options)
    assert stage.inputs() == ("caption",)
    return groups(stage.open()(pa.table({"caption": pa.array(texts, pa.string())})))


def plain(text):
    """What is left of a text, character by character."""
    kept = []
    for c in unicodedata.normalize("NFKC", text or ""):
        if unicodedata.category(c) == "Cf" or "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef":
            continue
        letter = unicodedata.category(c)[0] in "LMN"
        kept.append((c.casefold() if len(c.casefold()) == 1 else c) if letter else " ")
    return " ".join("".join(kept).split())


def test_pictures_by_their_hash():
    values = [b"cat", b"dog", b"cat", b"owl"]
    hashes = [hashlib.sha256(v).hexdigest() for v in values]
    table = pa.concat_tables(pa.table({"sha256": part}) for part in (hashes[:2], hashes[2:]))
    sketch = ExactDuplicates().open()(table)
    assert groups(sketch) == [0, 1, 0, 3]
    assert sketch.node.tolist() == [int(h[:16], 16) for h in hashes]
    assert sketch.check.tolist() == [int(h[16:32], 16) for h in hashes]


def test_a_missing_hash_is_an_error_not_a_group():
    table = pa.table({"key": ["k0", "k1", "k2"], "sha256": pa.array(["ab" * 32, None, None])})
    with pytest.raises(InputError, match=r"2 rows have no sha256, first key k1"):
        ExactDuplicates().open()(table)


@pytest.mark.parametrize("wrong", ["", "abc", "g" * 64])
def test_what_is_no_hash_is_an_error(wrong):
    with pytest.raises(InputError, match="sha256 is not what it says"):
        ExactDuplicates().open()(pa.table({"sha256": ["ab" * 32, wrong]}))


def test_only_words_and_their_order_count():
    same = ["A cat, a dog.", "a CAT a dog", " a\tcat\u00a0--- a\u00ad dog!\n", "\uff41 cat a dog"]
    assert of_texts([*same, "a dog a cat", "acat a dog", "a cat a"]) == [0, 0, 0, 0, 4, 5, 6]


def test_composed_and_decomposed_letters_are_the_same_and_accents_count():
    assert of_texts(["Ä é", "A\u0308 e\u0301", "a e"]) == [0, 0, 2]


def test_digits_at_choice():
    texts = ["page 12 of 90", "page 34 of 17", "page 3 of 17", "page ٣٤ of 17"]
    assert of_texts(texts) == [0, 1, 2, 3]
    assert of_texts(texts, digits="zero") == [0, 0, 2, 0]


def test_nothing_to_compare_is_nobodys_duplicate():
    assert of_texts([None, "", "  ", "!?", "!?", "\u200d", None]) == [None] * 7
    assert of_texts([]) == []


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(st.none() | st.text(ALPHABET, max_size=8) | st.text(max_size=8), max_size=12))
def test_texts_agree_with_normalising_one_by_one(texts):
    left = [plain(text) for text in texts]
    assert of_texts(texts) == [left.index(text) if text else None for text in left]


def test_a_long_text_counts_to_its_end():
    text = "many words " * 60_000
    assert of_texts([text, text + "more", text.upper(), text.replace(" ", "\n")]) == [0, 1, 0, 0]


def test_addresses_by_their_page():
    urls = [
        "http://a.example/x?b=1&a=2",
        "HTTP://A.example:80/x?a=2&b=1#y",
        None,
        "no url",
        "no url",
        "http://b.example",
    ]
    stage = ExactDuplicates(by="url")
    assert stage.inputs() == ("url",)
    assert groups(stage.open()(pa.table({"url": urls}))) == [0, 0, None, None, None, 5]


def test_nothing_is_compared_beyond_what_is_the_same():
    assert ExactDuplicates().comparing() is None
    assert ExactDuplicates(by="text", within=("date:month",)).inputs() == ("text", "date")
