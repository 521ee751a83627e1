"""Shingles against sets of tuples, hashes against plain integers, and texts in every arrangement."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe import folded
from curate.dedupe.shingles import of_sets, shingles, tokens

MASK = (1 << 64) - 1
TEXTS = st.lists(st.none() | st.text("abc,. ", max_size=30) | st.text("aé這犬กข \u200d1", max_size=12), max_size=8)


def mixed(value):
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & MASK
    return value ^ (value >> 31)


def is_own(c):
    return any(first <= ord(c) <= last for first, last in folded.WITHOUT_SPACES)


def words(text):
    """Split a text character by character."""
    found, word = [], ""
    for c in [*unicodedata.normalize("NFKC", text or "").lower(), " "]:
        if unicodedata.category(c) == "Cf":
            continue
        if unicodedata.category(c)[0] not in "LMN" or is_own(c):
            found += [word] if word else []
            word = ""
        if unicodedata.category(c)[0] in "LMN":
            if is_own(c):
                found.append(c)
            else:
                word += c
    return found


def runs(parts, n):
    return {tuple(parts[i : i + n]) for i in range(max(1, len(parts) - n + 1))} if parts else set()


def hash_of_word(word):
    codes = [ord(c) + folded.OWN * is_own(c) for c in word]
    return mixed(sum(code * pow(0x9E3779B97F4A7C1B, i, 1 << 64) for i, code in enumerate(codes)) & MASK)


def hash_of_run(run):
    total = 0
    for word in run:
        total = (total * 0xD1342543DE82EF95 + hash_of_word(word)) & MASK
    return mixed(total)


def each(hashed):
    return [hashed.hashes[a:b].tolist() for a, b in zip(hashed.offsets[:-1], hashed.offsets[1:], strict=True)]


@settings(derandomize=True, deadline=None, max_examples=150)
@given(TEXTS, st.integers(1, 4))
def test_against_plain_integers(texts, n):
    assert each(shingles(texts, n)) == [sorted(hash_of_run(run) for run in runs(words(t), n)) for t in texts]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(TEXTS, st.integers(1, 6))
def test_characters_against_sets_of_strings(texts, n):
    """Equal sets of hashes where the sets of strings are equal, and as many shared as there are shared strings."""
    strings = []
    for text in texts:
        kept = "".join(c for c in unicodedata.normalize("NFKC", text or "").lower() if unicodedata.category(c) != "Cf")
        line = " ".join("".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in kept).split())
        strings.append(runs(list(line + " "), n) if line else set())
    hashed = [set(h) for h in each(shingles(texts, n, "characters"))]
    assert [len(h) for h in hashed] == [len(s) for s in strings]
    assert [[len(a & b) for b in hashed] for a in hashed] == [[len(a & b) for b in strings] for a in strings]


def test_golden_hashes():
    """Stored sketches of one machine are compared with another's: these numbers may never change."""
    found = each(shingles(["The quick brown fox jumps over the lazy dog.", "fox", "敏捷的棕色狐狸", None, "¡!"], 5))
    assert [[f"{h:016x}" for h in hashes[:2]] for hashes in found] == GOLDEN


GOLDEN = [
    ["0a1bbe130bf33d2e", "13a663419491d2e5"],
    ["c24a88ca00eb0eef"],
    ["196bea1191364bd2", "1ccbd6bf0c96ea0c"],
    [],
    [],
]


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_a_batch_is_its_rows_one_by_one(unit, monkeypatch):
    texts = ["a b c d e f", None, "", "x", "這犬" * 20, "b c d e f g " * 9, "é" * 30, "ok " * 40]
    whole = each(shingles(texts, 3, unit))
    assert [each(shingles([t], 3, unit))[0] for t in texts] == whole
    assert each(shingles(texts[::-1], 3, unit)) == whole[::-1]
    reference = [len(h) for h in each(tokens(texts, unit))]
    monkeypatch.setattr(folded, "PIECE", 50)
    assert [len(h) for h in each(tokens(texts, unit))] == reference  # every text is cut at blanks
    assert each(shingles(texts, 3, unit)) == whole


def test_a_word_longer_than_a_piece_is_taken_for_several(monkeypatch):
    several = each(tokens(["x" * 10 + " " + "x" * 10 + " " + "x" * 5]))
    monkeypatch.setattr(folded, "PIECE", 10)
    assert each(tokens(["x" * 25])) == several


def test_spelling_does_not_enter():
    same = ["A cat, a dog and an owl", "a CAT a\u00ad dog\n\nand: an owl!", "\uff41 cat a dog and an owl"]
    hashed = each(shingles(same, 5))
    assert hashed == [hashed[0]] * 3


def test_a_script_without_spaces_has_a_word_a_character():
    assert len(each(shingles(["敏捷的棕色狐狸"], 5))[0]) == 3
    assert each(shingles(["敏 捷 的 棕 色 狐 狸"], 5)) == each(shingles(["敏捷的、棕色狐狸。"], 5))
    assert len(each(tokens(["ภาษาไทย"]))[0]) == 7
    assert len(each(tokens(["iPhone手机 pro"]))[0]) == 4


def test_hash_of_a_set_depends_on_its_members_alone():
    texts = ["a b c d a b c d", "b c d a b c d a b c d", "d c b a", "a b", "b a", "a b a b"]
    node, check = of_sets(shingles(texts, 2))
    pairs = list(zip(node.tolist(), check.tolist(), strict=True))
    assert pairs[0] == pairs[1]  # ab, bc, cd, da, however often
    assert len(set(pairs)) == 5
    assert not set(node.tolist()) & set(check.tolist())
