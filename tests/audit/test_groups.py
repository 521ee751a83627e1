"""Which group a sample is in, from each column that can tell."""

import pyarrow as pa

from curate.audit.groups import kinds


def told(**columns):
    return {kind.name: kind for kind in kinds(pa.table(columns))}


def members(kind, group):
    return kind.groups[group].tolist()


def test_words():
    found = told(caption=pa.array(["a gay couple", "a cat", None, "finna go"]))
    assert members(found["identity"], "sexuality") == [True, False, False, False]
    assert members(found["identity"], "any of them") == [True, False, False, False]
    assert members(found["identity term"], "gay") == [True, False, False, False]
    assert members(found["dialect"], "any of them") == [False, False, False, True]
    assert found["identity"].known.tolist() == [True, True, False, True]


def test_captions_and_documents_are_read_together():
    found = told(caption=pa.array(["a cat", None]), text=pa.array([None, "a Sikh wedding"]))
    assert members(found["identity term"], "Sikh") == [False, True]
    assert found["identity"].known.all()


def test_hosts():
    urls = ["https://Example.org/a", "http://user@img.example.org:8080/b?x=http://other.net/", "//no", None, "line://7"]
    found = told(url=pa.array(urls))["source"]
    assert found.known.tolist() == [True, True, False, False, True]
    assert set(found.groups) == {"example.org", "img.example.org", "7"}


def test_languages_and_shapes():
    assert members(told(language=pa.array(["en", None, "de"]))["language"], "de") == [False, False, True]
    found = told(width=pa.array([100, 300, 600, None], pa.int32()), height=pa.array([200, 300, 500, 5], pa.int32()))
    assert [members(found["orientation"], g).index(True) for g in ("portrait", "square", "landscape")] == [0, 1, 2]
    assert found["orientation"].known.tolist() == [True, True, True, False]
    assert {g for g, hit in found["short side"].groups.items() if hit.any()} == {"under 128", "256 to 511"}
    assert found["short side"].groups["256 to 511"].tolist() == [False, True, True, False]


def test_nothing_is_told_of_nothing():
    assert told(key=pa.array(["a"])) == {}
