"""Stop words: every list is in use, and each row is judged by its language's list or not at all."""

import pyarrow as pa
import pytest
from passages import ARTICLES

from curate.errors import StageError
from filters.text.gopher_quality import GopherQuality
from filters.text.stop_words import code_of, lists


def stop_words(stage, texts, languages=None):
    table = {"text": pa.array(texts, pa.string())}
    if languages:
        table["language"] = pa.array(languages, pa.string())
    return stage.open()(pa.table(table))[7].to_pylist()


def test_lists_are_of_small_letters():
    assert len(lists()) > 50
    for code, words in lists().items():
        assert len(words) >= 8, code
        assert [word for word in words if word != word.lower() or word.split() != [word]] == [], code


@pytest.mark.parametrize("language", sorted(set(ARTICLES) - {"th", "hi", "ko"}))
def test_prose_has_its_own_languages_words_and_not_anothers(language):
    text = ARTICLES[language]
    own, other = stop_words(GopherQuality(language="column"), [text, text], [language, "fi"])
    assert own >= 2
    assert own > other


def test_a_row_goes_by_its_language():
    stage = GopherQuality(language="column", stop_words={"xx": ("foo", "bar")})
    assert stage.inputs() == ("text", "language")
    texts = ["the and of", "the and of", "foo bar baz", "the and of", "der die das", "the the The"]
    assert stop_words(stage, texts, ["en", "th", "xx", None, "de-AT", "en_GB"]) == [3, None, 2, 3, 3, 1]


def test_no_list_drops_nothing_and_a_fixed_language_must_have_one():
    stage = GopherQuality(language="column", words_at_least=None, word_length_at_least=None)
    table = pa.table({"text": ["foo bar"], "language": ["th"]})
    scores = pa.table(stage.open()(table), names=[field.name for field in stage.outputs()])
    assert stage.decide(scores).to_pylist() == [None]
    with pytest.raises(StageError, match="no stop words for the language 'th'"):
        GopherQuality(language="th").open()
    assert stop_words(GopherQuality(language="th", stop_words={"th": ("ok", "ja")}), ["ok ja ok"]) == [2]


def test_codes():
    assert [code_of(code) for code in ("zh-CN", "pt_BR", "EN", None, "", "und")] == ["zh", "pt", "en", "en", "en", "en"]
