"""Folding by tables against the same rules said once more, sign by sign and with regular expressions."""

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.folding import PUNCTUATION, fold

NUMBER = re.compile(r"\d+([.,،٫⎖⎗⎘]\d+)?")  # noqa: RUF001 - decimal points of other scripts
UNSPACED = re.compile(
    "[\u3041-\u3098\u309b-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
)
SIGNS = (
    "aB é\u0301ßİςΣ2,.3½ǅ—_\n\t\u00a0\x01中文かが\u3099カー한\u1112\u1161\u11ab\u09c7\u09beй\U0001f600🇩🇪€\u200d\u0345"
    "\u0661\u066b\u2019\u041a"
)
TEXTS = st.text(max_size=40) | st.text(SIGNS, max_size=40) | st.text("ab 1.,", max_size=30)


def plainly(text):
    """What `simplify_text` of datatrove does, and a space on both sides of each sign that is a word of its own."""
    composed = unicodedata.normalize("NFC", text)
    lower = "".join("σ" if sign == "ς" else sign.lower() for sign in composed)  # noqa: RUF001
    single = NUMBER.sub("0", lower)
    spaced = "".join(" " if s in PUNCTUATION or unicodedata.category(s) == "Cc" else s for s in single)
    apart = UNSPACED.sub(lambda found: f" {found[0]} ", spaced)
    spelled = (s for s in unicodedata.normalize("NFD", apart) if unicodedata.category(s) != "Mn")
    return unicodedata.normalize("NFC", "".join(spelled)).split()


def folded(texts):
    found = fold(pa.array(texts, pa.string()))
    return [bytes(found.text[start:stop]).decode() for start, stop in zip(found.rows, found.rows[1:], strict=False)]


@settings(derandomize=True, deadline=None, database=None, max_examples=400)
@given(st.lists(st.none() | TEXTS, max_size=4))
def test_folding_is_that_of_the_rules(texts):
    words = [[unicodedata.normalize("NFC", word) for word in text.split()] for text in folded(texts)]
    assert words == [plainly(text or "") for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello,  WORLD!", ["hello", "world"]),
        ("don't do_it—now", ["don", "t", "do", "it", "now"]),
        ("3.14 1,234,567 10.0.0.1 x12y", ["0", "0", "0", "0", "0", "x0y"]),
        ("Ünïcode Ǆ İstanbul ΟΔΟΣ οδος", ["unicode", "ǆ", "istanbul", "οδοσ", "οδοσ"]),
        ("e\u0301te\u0301 = été", ["ete", "ete"]),
        ("中国abc 한국", ["中", "国", "abc", "한국"]),
        ("", []),
    ],
)
def test_folding_by_example(text, expected):
    (found,) = folded([text])
    assert found.split() == expected


def test_every_row_ends_in_a_space_and_holds_no_other_separator():
    for text in folded(["a\tb", "", "ab", "中", "x\u2003y"]):
        assert text.endswith(" ")
        assert set(text).isdisjoint("\t\n\u2003")


def test_spelled_out_and_composed_letters_fold_alike():
    for composed in ("각한글", "কো", "கொ", "é", "Å", "ﬁn"):
        assert folded([composed]) == folded([unicodedata.normalize("NFD", composed)])
