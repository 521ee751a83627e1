"""A whole audit of a small run: the numbers are those of the list, and the pages hold them, escaped."""

import json

import pytest

from curate.audit.labels import read_labels
from curate.audit.page import page
from curate.audit.report import Looking, audit
from curate.audit.runs import open_run
from curate.audit.tables import Section, sections
from curate.errors import InputError, PurgedError
from curate.run.layout import Run
from curate.run.retry import purge
from tests.audit.runs import PEOPLE, captions, finished

QUICK = Looking(swaps=0, sample=0, least=20)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Short captions are dropped, and of long ones those of a couple, which are shorter than the others."""
    return finished(tmp_path_factory.mktemp("people"), {"length": {"at_least": 57}})


def long_enough():
    return [len(caption) >= 57 for _, caption in captions()]


def line_of(found, kind, group, stage="length"):
    (line,) = [g for g in found.groups if (g.kind, g.group, g.stage) == (kind, group, stage)]
    return line


def test_groups_are_counted_as_the_list_says(url):
    found = audit(open_run(url), QUICK)
    for group, word in (("sexuality", "gay"), ("religion", "Muslim")):
        own = [keep for (_, caption), keep in zip(captions(), long_enough(), strict=True) if word in caption]
        line = line_of(found, "identity", group)
        assert (line.lost.hits, line.lost.of) == (own.count(False), PEOPLE)
        assert line.share_before == pytest.approx(1 / 3)
        assert line.share_after == pytest.approx(own.count(True) / long_enough().count(True))
    assert line_of(found, "identity", "sexuality").amplification.high < 1
    assert line_of(found, "source", "one.example").lost.of == PEOPLE
    # 60 sites with one caption each are nobody's in particular.
    assert line_of(found, "source", "(small hosts)").lost.of == PEOPLE
    assert any("no stored column tells groups by language, orientation, short side" in note for note in found.notes)


def labels(folder, rows):
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_labels(str(path), "label")


def test_errors_are_those_of_the_labels(url, tmp_path):
    """Say that all that is about a cat is bad: what is kept of it was missed, what is lost of the rest lost wrongly."""
    rows = [{"caption": caption, "label": "a cat" in caption} for _, caption in captions()]
    found = audit(open_run(url), QUICK, labels(tmp_path, [*rows, {"caption": "no such text", "label": True}]))
    whole = next(e for e in found.errors if not e.kind)
    outcomes = list(zip((c for _, c in captions()), long_enough(), strict=True))
    assert whole.missed.hits == sum(keep for caption, keep in outcomes if "a cat" in caption)
    assert whole.false_positives.hits == sum(not keep for caption, keep in outcomes if "a cat" not in caption)
    (group,) = [e for e in found.errors if (e.kind, e.group) == ("identity term", "gay")]
    assert (group.false_positives.of, group.missed.of) == (PEOPLE, 0)
    assert any("180 samples of the run are labelled by its 181 rows" in note for note in found.notes)


def test_labels_of_another_run_are_an_error(url, tmp_path):
    with pytest.raises(InputError, match=r"no sample of .* is labelled by its 1 rows"):
        audit(open_run(url), QUICK, labels(tmp_path, [{"caption": "no such text", "label": True}]))


def test_labels_go_by_key_too(url, tmp_path):
    run = open_run(url)
    keys = [key for part in run.parts() for key in part.keys.to_pylist()]
    found = audit(run, QUICK, labels(tmp_path, [{"key": key, "label": 0} for key in keys[:30]]))
    assert found.labelled == 30
    assert found.errors[0].false_positives.of == 30


@pytest.mark.parametrize(("rows", "how", "told"), [
    ([{"name": "x", "label": 1}], QUICK, "has neither a column `key` nor the text"),
    ([{"caption": "x", "label": 1}, {"caption": "x", "label": 0}], QUICK, "bad in one row and good in another"),
    ([{"caption": "x", "label": 1}], Looking(swaps=0, sample=0, judged=("lenght",)), "Did you mean 'length'?"),
])  # fmt: skip
def test_labels_that_cannot_be_used_are_told(url, tmp_path, rows, how, told):
    with pytest.raises(InputError) as refused:
        audit(open_run(url), how, labels(tmp_path, rows))
    assert told in str(refused.value)


def test_a_purged_run_tells_what_is_left_of_it(tmp_path):
    url = finished(tmp_path, {"length": {"at_least": 57}})
    purge(Run.at(url))
    found = audit(open_run(url), Looking(swaps=5, sample=100, least=5))
    assert not found.groups
    shares = {(p.kind, p.group): p.share for p in found.published}
    kept = [caption for (_, caption), keep in zip(captions(), long_enough(), strict=True) if keep]
    assert shares["identity term", "Muslim"].hits == sum("Muslim" in caption for caption in kept)
    assert shares["identity term", "Muslim"].of == len(kept)
    # What filters think of terms is asked with published texts.
    assert {s.category for s in found.swaps if s.texts == "captions"} >= {"religion"}
    assert "who was left out cannot be told" in found.notes[0]
    with pytest.raises(PurgedError, match="give keys"):
        audit(open_run(url), QUICK, labels(tmp_path, [{"caption": "x", "label": 1}]))


def test_tables_hold_every_line_and_pages_escape(url):
    found = audit(open_run(url), Looking(swaps=2, sample=50, least=1))
    every = {s.title: s for s in sections(found, every=True)}
    some = {s.title: s for s in sections(found, every=False)}
    swaps = "Identity terms put in place of each other"
    assert len(every[swaps].rows) == len(found.swaps)
    assert len(some[swaps].rows) <= 25
    assert all(len(row) == len(s.columns) for s in every.values() for row in s.rows)
    made = page(
        "<Audit> & more", [*every.values(), Section("<t>", ("<n>",), ("<c>",), (("<script>alert(1)</script>",),))]
    )
    assert "<script" not in made
    assert "&lt;script&gt;" in made
    assert made.count("<table>") == made.count("</table>") == sum(bool(s.rows) for s in every.values()) + 1


def test_json_is_plain_and_holds_no_text_of_the_corpus(url):
    told = json.dumps(audit(open_run(url), Looking(swaps=5, sample=100, least=1)).to_json(), allow_nan=False)
    assert "stands in front" not in told
    assert "jane" not in told.lower()


def test_the_same_audit_twice_is_the_same(url):
    how = Looking(swaps=5, sample=30, seed=4)
    assert audit(open_run(url), how) == audit(open_run(url), how)
