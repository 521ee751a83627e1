"""Forgetting twenty addresses and a picture: hidden at once, then gone, and nothing else changed."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curate.erase import Asked, check_erasures, forget, rewrite, selector
from curate.errors import RunError
from curate.run.check import check
from curate.run.layout import Run
from curate.run.retry import purge
from curate.shards import Features, Manifest, ShardReader, shard_keys
from curate.storage import Folder

from .runs import (
    carry_out,
    contents,
    holding,
    keys,
    ledger,
    needles,
    picture,
    recipe,
    store_features,
    times,
    url,
)

TWENTY = (*range(8), 40, *range(48, 59))
"""Eight of the first shard, a copy that was dropped, two at the end, and nine that a threshold dropped."""
LIKE = 30
"""The number whose picture is asked for, saved again smaller and coarser."""


def quiet(_event):
    pass


def asking(tmp_path, *numbers, image=None, **how):
    wanted = [selector("url", url(number)) for number in numbers]
    if image is not None:
        path = tmp_path / "asked.jpg"
        path.write_bytes(smaller(image))
        wanted.append(selector("image", str(path)))
    return Asked(tuple(wanted), **how)


def smaller(number):
    stream = io.BytesIO()
    with Image.open(io.BytesIO(picture(number))) as image:
        image.resize((100, 112)).save(stream, "JPEG", quality=60)
    return stream.getvalue()


def readable(run):
    reader = ShardReader(run.folder.url)
    return [reader.key(i) for i in range(len(reader))]


def faults(run):
    return [*check(run), *check_erasures(run)]


def test_twenty_addresses_and_a_picture(run, tmp_path):
    root = Path(run.folder.path(""))
    gone = keys(run, *TWENTY, LIKE)
    sought = needles(*TWENTY, LIKE)
    assert {name for _, name in holding(root, sought)} == set(sought)
    before, published = Manifest.load(run.folder), readable(run)

    done = forget(run, asking(tmp_path, *TWENTY, image=LIKE, request="R-17"), quiet)
    assert sorted(done.new) == sorted(gone)
    assert done.missed == []
    assert readable(run) == [key for key in published if key not in gone]
    assert faults(run) == []

    untouched = times(root)
    rewritten = rewrite(run, [], quiet)
    after = Manifest.load(run.folder)
    assert rewritten.version == after.version != before.version
    assert readable(run) == [key for key in published if key not in gone]
    assert after.samples == len(readable(run))
    stayed = {e for e in before.shards if e in after.shards}
    assert 0 < len(stayed) < len(before.shards)
    for entry in stayed:
        for name in (entry.name, entry.name.replace(".tar", ".idx")):
            assert times(root)[f"shards/{name}"] == untouched[f"shards/{name}"]
    assert holding(root, sought) == []
    assert faults(run) == []


def test_the_shards_say_what_they_said_of_those_that_stay(run, tmp_path):
    reader = ShardReader(run.folder.url)
    before = {reader.key(i): reader.read(i) for i in range(len(reader))}
    forget(run, asking(tmp_path, *TWENTY), quiet)
    rewrite(run, [], quiet)
    reader = ShardReader(run.folder.url)
    after = {reader.key(i): reader.read(i) for i in range(len(reader))}
    assert after == {key: members for key, members in before.items() if key in after}
    assert len(after) < len(before)


def test_features_follow_without_being_made_again(run, tmp_path):
    def of(reader):
        features = Features(run.folder.url, "f" * 32)
        shards = reader.manifest.shards
        assert features.cover(shards)
        places = {reader.key(i): reader.place(i) for i in range(len(reader))}
        return {key: (features.read(shards[s].name, row).tolist(), features.missing(shards[s].name, row))
                for key, (s, row) in places.items()}  # fmt: skip

    before = of(ShardReader(run.folder.url))
    forget(run, asking(tmp_path, *TWENTY), quiet)
    rewrite(run, [], quiet)
    after = of(ShardReader(run.folder.url))
    assert after == {key: value for key, value in before.items() if key in after}
    data = b"".join(contents(Path(run.folder.path("")) / "features").values())
    for key in set(before) - set(after):
        assert np.array(before[key][0], np.float32).tobytes() not in data


def test_the_certificate_says_what_was_done_and_no_value(run, tmp_path):
    forget(run, asking(tmp_path, *TWENTY, image=LIKE, request="R-17"), quiet)
    before = {e.name: e for e in Manifest.load(run.folder).shards}
    version = Manifest.load(run.folder).version
    rewrite(run, [], quiet)
    after = Manifest.load(run.folder)
    text = run.folder.read("erasures/R-17.json")
    told = json.loads(text)
    (forgotten,), (rewritten,) = told["forgotten"], told["rewritten"]
    gone = keys_of_ledger(run)
    assert sorted(forgotten["keys"]) == sorted(rewritten["keys"])
    assert len(forgotten["keys"]) == 21
    assert {k for k, v in forgotten["keys"].items() if v["fate"] == "kept"} == gone
    assert (rewritten["from_version"], rewritten["to_version"]) == (version, after.version)
    named = {e.name: e for e in after.shards}
    for shard in rewritten["shards"]:
        assert shard["old_sha256"] == before[shard["old"]].sha256
        if shard["new"] is None:
            assert shard["removed"] == before[shard["old"]].samples
        else:
            assert shard["new_sha256"] == named[shard["new"]].sha256
    assert sum(s["removed"] for s in rewritten["shards"]) == len(gone)
    assert any(s["new"] is None for s in rewritten["shards"])  # the first shard is empty now
    assert rewritten["raw"]["partitions"] == [0, 1, 2, 3]
    assert told["checkpoints"]["searched"] == []
    assert [n for n in needles(*TWENTY, LIKE).values() if n.lower() in text.lower()] == []


def keys_of_ledger(run):
    return {e["key"] for e in ledger(run) if (e["event"], e["reason"]) == ("dropped", "erased")}


def test_a_second_forget_changes_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setenv("CURATE_PII_SECRET", "0123456789abcdef0123456789abcdef")
    asked = asking(tmp_path, *TWENTY, image=LIKE, request="R-17")
    assert forget(run, asked, quiet).new
    hidden = contents(run.folder.path(""))
    again = forget(run, asked, quiet)
    assert (again.new, again.request, len(again.already), again.missed) == ({}, None, 21, [])
    assert contents(run.folder.path("")) == hidden
    rewrite(run, [], quiet)
    gone = contents(run.folder.path(""))
    later = forget(run, asked, quiet)
    assert (later.new, later.missed, len(later.known)) == ({}, [], 21)
    assert rewrite(run, [], quiet).keys == 0
    assert contents(run.folder.path("")) == gone


def test_the_same_command_finds_the_rewritten_run_complete(run, pictures, tmp_path):
    forget(run, asking(tmp_path, *TWENTY), quiet)
    rewrite(run, [], quiet)
    before = contents(run.folder.path(""))
    carry_out(run.folder.url, pictures, hire=never)
    assert contents(run.folder.path("")) == before


def never():
    raise AssertionError


@pytest.mark.parametrize("rewritten", [False, True])
def test_a_moved_threshold_brings_nobody_back(run, pictures, tmp_path, rewritten):
    forget(run, asking(tmp_path, *TWENTY), quiet)
    if rewritten:
        rewrite(run, [], quiet)
    gone = set(keys_by_tombstone(run))
    carry_out(run.folder.url, pictures, "exact_duplicates", "shout", {"line_number": {"at_most": 59}})
    assert faults(run) == []
    assert not gone & set(readable(run))
    stored = [k for e in Manifest.load(run.folder).shards for k in shard_keys(run.folder, e.name)]
    assert not gone & set(stored)
    assert len(stored) == 60 - 2 - (len(TWENTY) - 1)  # of two copies one was asked for
    rewrite(run, [], quiet)
    sought = needles(*TWENTY)
    assert holding(Path(run.folder.path("")), sought) == []
    assert faults(run) == []


def keys_by_tombstone(run):
    return run.folder.read_parquet("tombstones.parquet")["key"].to_pylist()


def test_a_copy_takes_the_place_of_an_erased_sample_unless_it_follows(run, pictures, tmp_path):
    (survivor, copy) = keys(run, 10, 40)
    done = forget(run, asking(tmp_path, 10), quiet, dry_run=True)
    assert (list(done.new), done.mates, done.followed) == ([survivor], [copy], False)
    assert not run.folder.exists("tombstones.parquet")
    done = forget(run, asking(tmp_path, 10, with_duplicates=True), quiet)
    assert sorted(done.new) == sorted([survivor, copy])
    assert done.new[copy] == "duplicate"
    rewrite(run, [], quiet)
    assert holding(Path(run.folder.path("")), needles(10, 40)) == []
    carry_out(run.folder.url, pictures, "exact_duplicates")
    assert not {survivor, copy} & set(readable(run))
    assert faults(run) == []


def test_mates_are_known_after_a_rewrite(run, tmp_path):
    forget(run, asking(tmp_path, 1), quiet)
    rewrite(run, [], quiet)
    assert forget(run, asking(tmp_path, 11), quiet, dry_run=True).mates == keys(run, 41)


def test_a_purged_run(run, tmp_path):
    purge(run)
    there = Run.at(run.folder.url)
    done = forget(there, asking(tmp_path, 1, 55, image=LIKE), quiet)
    assert [s.given for s in done.missed] == [url(55)]  # a threshold dropped it, and its raw copy is gone
    assert len(done.new) == 2
    rewrite(there, [], quiet)
    assert holding(Path(run.folder.path("")), needles(1, LIKE)) == []
    assert faults(there) == []


def test_work_elsewhere(pictures, tmp_path):
    run = carry_out(tmp_path / "run", pictures, work=str(tmp_path / "raw"))
    forget(Run.at(run.folder.url), asking(tmp_path, *TWENTY), quiet)
    rewrite(Run.at(run.folder.url), [], quiet)
    sought = needles(*TWENTY)
    assert holding(tmp_path / "raw", sought) == holding(tmp_path / "run", sought) == []
    assert faults(Run.at(run.folder.url)) == []


def test_rewriting_again_and_again(run, tmp_path):
    for number, name in ((12, "00001-r1.tar"), (13, "00001-r2.tar"), (14, "00001-r3.tar")):
        forget(run, asking(tmp_path, number), quiet)
        rewrite(run, [], quiet)
        assert name in [e.name for e in Manifest.load(run.folder).shards]
        assert faults(run) == []
    assert len(run.folder.names("versions")) == 4  # three versions, and their indexes


def test_an_unfinished_run_is_hidden_from_before_it_is_published(pictures, tmp_path):
    run = Run.at(str(tmp_path / "run"))
    plan = recipe(pictures)
    run.claim(plan, plan.source.snapshot())
    from curate.run.ingest import list_source

    list_source(plan.source, run)
    done = forget(run, asking(tmp_path, 3, 50), quiet)
    assert len(done.new) == 2
    with pytest.raises(RunError, match="is not finished"):
        rewrite(run, [], quiet)
    carry_out(run.folder.url, pictures)
    assert not set(done.new) & set(readable(run))
    assert faults(run) == []
    store_features(run)
    rewrite(run, [], quiet)
    assert holding(Path(run.folder.path("")), needles(3, 50)) == []
    assert faults(run) == []


def test_remote(finished, s3, tmp_path):
    import fsspec

    fs = fsspec.filesystem("s3")
    fs.put(f"{finished}/", f"{s3}/run/", recursive=True)
    run = Run.at(f"{s3}/run")
    forget(run, asking(tmp_path, *TWENTY), quiet)
    rewrite(run, [], quiet)
    assert faults(run) == []
    fs.get(f"{s3}/run/", str(tmp_path / "back"), recursive=True)
    sought = needles(*TWENTY)
    assert holding(tmp_path / "back", sought) == []
    assert Folder(f"{s3}/run").exists("erasures")
