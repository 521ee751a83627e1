"""Bad words: where a word ends, scripts without spaces, whose list, and lists that cannot be used."""

import pyarrow as pa
import pytest

from curate.errors import ModelError, StageError
from filters.text.bad_words import BadWords


@pytest.fixture
def lists(tmp_path):
    (tmp_path / "en.txt").write_text("# a comment\nDarn\nson of a gun\n@heck\n\nsm\n", "utf-8")
    (tmp_path / "zh.txt").write_text("坏话\n坏话连篇\n", "utf-8")
    (tmp_path / "ru.txt").write_text("чёрт\n", "utf-8")
    return {code: str(tmp_path / f"{code}.txt") for code in ("en", "zh", "ru")}


def counts(stage, texts, languages=None):
    table = pa.table(
        {"text": pa.array(texts, pa.string()), "language": pa.array(languages or [None] * len(texts), pa.string())}
    )
    whose, count = stage.open()(table)
    reasons = stage.decide(pa.table([whose, count], names=["bad_words_list", "bad_words"]))
    return list(zip(whose.to_pylist(), count.to_pylist(), reasons.to_pylist(), strict=True))


def test_words_are_found_whole_and_in_any_case(lists):
    stage = BadWords(lists=lists)
    found = counts(
        stage,
        ["DARN it", "darn darn darn.", "darning", "undarn", "Son of a Gun!", "son of a gunner", "_darn_", "sm", ""],
    )
    assert [count for _, count, _ in found] == [1, 3, 0, 0, 1, 0, 0, 0, 0]
    assert [reason for _, _, reason in found] == ["bad_words", "bad_words", None, None, "bad_words", *[None] * 4]


def test_letters_of_all_scripts_bound_words(lists):
    stage = BadWords(lists=lists, language="ru")
    assert [count for _, count, _ in counts(stage, ["Чёрт!", "чёртик", "и чёрт", "édarn"])] == [1, 0, 1, 0]
    english = BadWords(lists=lists)
    assert [count for _, count, _ in counts(english, ["édarn", "darné", "(darn)", "a @heck", "a@heck"])] == [
        0,
        0,
        1,
        1,
        0,
    ]


def test_scripts_without_spaces_are_searched_everywhere(lists):
    stage = BadWords(lists=lists, language="zh-CN")
    assert [count for _, count, _ in counts(stage, ["他说坏话连篇", "坏话坏话", "好话"])] == [1, 2, 0]


def test_each_row_by_its_own_language(lists):
    stage = BadWords(lists=lists, language="column")
    assert stage.inputs() == ("text", "language")
    texts = ["darn", "darn", "坏话", "坏话", "darn", None]
    found = counts(stage, texts, ["en", "ru", "zh", "ja", None, "en"])
    assert [(whose, count) for whose, count, _ in found] == [
        ("en", 1), ("ru", 0), ("zh", 1), ("none", None), ("en", 1), (None, None)
    ]  # fmt: skip


def test_thresholds_decide(lists):
    assert counts(BadWords(lists=lists, at_most=2), ["darn darn", "darn darn darn"])[0][2] is None
    assert counts(BadWords(lists=lists, at_most=None), ["darn " * 9])[0][2] is None
    assert BadWords(lists=lists, at_most=7).identity() == BadWords(lists=lists).identity()


def test_a_changed_list_is_another_measurement(lists, tmp_path):
    before = BadWords(lists=lists).identity()
    (tmp_path / "en.txt").write_text("golly\n")
    assert BadWords(lists=lists).identity() != before


@pytest.mark.parametrize(("content", "why"), [(b"\xff\xfe", "not UTF-8 at byte 0"), (b"# nothing\n", "no words in it")])
def test_an_unusable_list_is_one_clear_error(tmp_path, content, why):
    (tmp_path / "bad.txt").write_bytes(content)
    with pytest.raises(ModelError, match=why):
        BadWords(lists={"en": str(tmp_path / "bad.txt")}).open()


def test_missing_lists_are_named(lists):
    with pytest.raises(StageError, match=r"no list for the language 'fi'"):
        BadWords(lists=lists, language="fi").models()
    with pytest.raises(ModelError, match="is not on this machine"):
        BadWords(lists={"en": "no/such.txt"}).open()


def test_the_lists_that_come_with_the_package_load():
    stage = BadWords(language="column")
    assert len(stage.models()) == 15
    found = counts(stage, ["A heron stands in the water."] * 3, ["en", "de", "zh"])
    assert [(whose, count) for whose, count, _ in found] == [("en", 0), ("de", 0), ("zh", 0)]
