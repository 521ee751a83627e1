"""One sample's story, before and after it was erased, on whole and purged runs."""

import pytest

from curate.cli.story import story
from curate.erase import Asked, explain, forget, keys_of_url, rewrite, selector
from curate.errors import RunError
from curate.run.layout import Run
from curate.run.retry import purge

from .runs import keys, url


def quiet(_event):
    pass


def test_a_published_sample(run):
    (key, copy) = keys(run, 10, 40)
    told = explain(run, key)
    assert told["listed"] == [{"partition": 0, "row": 10, "raw": "in work", "failed": None}]
    assert [(e["stage"], e["event"]) for e in told["events"]] == [("shout", "edited"), ("webdataset", "kept")]
    assert told["events"][0]["detector"] == "ear 1.0"
    assert [(s["stage"], s["values"]) for s in told["scores"]] == [("line_number", {"line_number": 10})]
    assert told["duplicates"] == {"known": True, "survivors": [], "copies": [copy]}
    shard = told["shard"]
    assert (shard["name"], shard["row"]) == ("00001.tar", 2)
    data = run.folder.read("shards/00001.tar")
    (json_member,) = [m for m in shard["members"] if m["extension"] == "json"]
    assert key.encode() in data[json_member["offset"] : json_member["offset"] + json_member["bytes"]]
    assert told["features"] == [{"fingerprint": "f" * 32, "missing": None}]
    assert told["erased"] is None
    assert "not erased" in list(story(told))


def test_dropped_samples(run):
    (survivor, copy, many) = keys(run, 10, 40, 52)
    told = explain(run, copy)
    assert told["duplicates"]["survivors"] == [{"stage": "exact_duplicates", "survivor": survivor}]
    assert told["events"][-1]["reason"] == "exact_duplicate"
    assert told["shard"] is None
    above = explain(run, many)["events"][-1]
    assert (above["stage"], above["event"], above["reason"], above["score"]) == (
        "line_number", "dropped", "above_at_most", 52.0,
    )  # fmt: skip


def test_an_erased_sample_keeps_its_fate_and_nothing_that_was_measured(run):
    (key,) = keys(run, 10)
    forget(run, Asked((selector("url", url(10)),), request="R-9"), quiet)
    hidden = explain(run, key)
    assert (hidden["erased"]["request"], hidden["erased"]["rewritten"]) == ("R-9", [])
    assert hidden["shard"]["name"] == "00001.tar"
    rewrite(run, [], quiet)
    gone = explain(run, key)
    assert (gone["shard"], gone["scores"], gone["listed"][0]["raw"]) == (None, [], "removed")
    assert gone["events"] == [
        {"stage": "webdataset", "event": "dropped", "reason": "erased", "score": None, "detector": None,
         "place": None, "action": None, "match": None}
    ]  # fmt: skip
    assert gone["erased"]["rewritten"][0]["to_version"]
    assert any("removed at" in line for line in story(gone))


def test_a_purged_run(run):
    (key,) = keys(run, 10)
    purge(run)
    there = Run.at(run.folder.url)
    told = explain(there, key)
    assert told["listed"] == [{"partition": 0, "row": None, "raw": "purged", "failed": None}]
    assert told["duplicates"]["known"] is False
    assert told["shard"]["name"] == "00001.tar"
    assert keys_of_url(there, url(10), quiet) == [key]
    assert any("copies: not known here" in line for line in story(told))


def test_nobody_and_nothing(run, tmp_path):
    with pytest.raises(RunError, match="the ledger has no sample abc"):
        explain(run, "abc")
    with pytest.raises(RunError, match="no sample that is still here came from"):
        keys_of_url(run, "http://example.com/none.jpg", quiet)
    with pytest.raises(RunError, match="no run here"):
        explain(Run.at(str(tmp_path / "none")), "abc")
