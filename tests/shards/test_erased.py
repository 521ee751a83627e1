"""Tombstones, shards written anew, features that follow, and versions that are kept."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import IntegrityError, RunError
from curate.shards import (
    Features,
    Manifest,
    PastVersion,
    ShardReader,
    check_shards,
    check_versions,
    erased_keys,
    keep_current,
    keep_version,
    past_versions,
    read_tombstones,
    reason_where_erased,
    rewritten_name,
    write_tombstones,
    write_without,
)
from curate.shards.tombstones import SCHEMA
from curate.storage import Folder

from .conftest import make_samples, write_run


def tombs(*keys):
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    columns = {"key": list(keys), "request": "r", "at": now, "selector": "key"}
    return pa.Table.from_pylist([{**columns, "key": key} for key in keys], schema=SCHEMA)


def test_tombstones_come_back_as_they_were_put_up(run):
    assert read_tombstones(run).num_rows == len(erased_keys(run)) == 0
    write_tombstones(run, tombs("a", "b"))
    assert read_tombstones(run).equals(tombs("a", "b"))
    assert reason_where_erased(run, pa.chunked_array([["b", "c"], ["a"]])).to_pylist() == ["erased", None, "erased"]
    assert reason_where_erased(run, pa.array([], pa.string())).to_pylist() == []


def test_a_file_of_keys_alone_is_obeyed(run):
    (key,) = [ShardReader(run.url).key(2)]
    pq.write_table(pa.table({"key": pa.array([key], pa.large_string())}), run.path("tombstones.parquet"))
    assert len(ShardReader(run.url)) == 7
    assert read_tombstones(run)["request"].to_pylist() == ["unrecorded"]
    pq.write_table(pa.table({"keys": [key]}), run.path("tombstones.parquet"))
    with pytest.raises(IntegrityError, match="nobody can tell what was erased"):
        ShardReader(run.url)


@pytest.mark.parametrize(("name", "next_name"), [("00003.tar", "00003-r1.tar"), ("00003-r1.tar", "00003-r2.tar"),
                                                 ("00003-r9.tar", "00003-r10.tar")])  # fmt: skip
def test_names(name, next_name):
    assert rewritten_name(name) == next_name


def test_a_shard_without_some_rows_is_the_shard_of_the_others(tmp_path):
    run = write_run(tmp_path / "run", (5,))
    (entry,) = Manifest.load(run).shards
    new = write_without(run, entry, [0, 3, 4])
    kept = [make_samples(5)[row] for row in (0, 3, 4)]
    from curate.shards import write_shard

    assert run.read(f"shards/{new.name}") == run.read(f"shards/{write_shard(run / 'shards', 'other.tar', kept).name}")
    run.delete("shards/other.tar")
    run.delete("shards/other.idx")
    assert write_without(run, entry, []) is None
    Manifest("test", (new,)).save(run)
    run.delete("shards/00000.tar")
    run.delete("shards/00000.idx")
    assert check_shards(run) == []


def stored(run, entries):
    features = Features(run.url, "a" * 32)
    for entry in entries:
        with features.writing(entry, (2,), "float16") as (table, missing):
            table[:] = np.arange(entry.samples * 2).reshape(-1, 2)
            missing["3"] = "torn"
    features.finish({"by": "a test"}, entries)
    return features


def test_features_of_the_rows_that_stay(tmp_path):
    run = write_run(tmp_path / "run", (5, 4))
    first, second = Manifest.load(run).shards
    features = stored(run, (first, second))
    new = write_without(run, first, [1, 3, 4])
    assert features.carry_over(first, new, [1, 3, 4])
    features.relist((new, second))
    assert features.cover((new, second))
    assert [features.read(new.name, row).tolist() for row in range(3)] == [[2, 3], [6, 7], [8, 9]]
    assert [features.missing(new.name, row) for row in range(3)] == [None, "torn", None]
    assert run.names("features/" + "a" * 32) == [
        "00000-r1.json",
        "00000-r1.npy",
        "00001.json",
        "00001.npy",
        "features.json",
    ]


def test_features_that_are_not_all_there_are_not_said_to_be(tmp_path):
    run = write_run(tmp_path / "run", (5, 4))
    first, second = Manifest.load(run).shards
    features = stored(run, (first, second))
    new = write_without(run, first, [1])
    features.relist((new, second))
    assert not features.cover((new, second))
    assert run.names("features/" + "a" * 32) == ["00001.json", "00001.npy"]
    assert not features.carry_over(first, new, [1])


def test_a_kept_version_says_where_its_keys_were(tmp_path):
    run = write_run(tmp_path / "run", (5, 4, 3))
    old = Manifest.load(run)
    keys = [ShardReader(run.url).key(i) for i in range(12)]
    new = write_without(run, old.shards[1], [0, 2])
    keep_version(run, old, [old.shards[1]])
    Manifest("test", (old.shards[0], new, old.shards[2])).save(run)
    for name in ("00001.tar", "00001.idx"):
        run.delete(f"shards/{name}")
    past = PastVersion(run.url, old.version)
    assert [past.find(key) for key in keys] == [(s, r) for s, n in enumerate((5, 4, 3)) for r in range(n)]
    assert past.find("none") is None
    assert past_versions(run) == [old.version[:16]]
    assert check_versions(run) == []
    with pytest.raises(RunError, match="keeps no version"):
        PastVersion(run.url, "0" * 64)
    keep_current(run)  # before all is planned anew: the first version leans on indexes beside the shards
    assert len(past_versions(run)) == 2
    run.delete("shards")
    assert past.find(keys[-1]) == (2, 2)
    assert check_versions(run) == []
    run.delete(f"versions/indexes/{old.shards[0].index_sha256}.idx")
    assert ["the index of 00000.tar is gone or damaged" in f for f in check_versions(run)] == [True, True]


def test_a_run_from_which_nothing_was_erased_keeps_no_versions(run):
    keep_current(run)
    assert not Folder(run.url).exists("versions")


def test_a_reader_that_is_overtaken_by_a_rewrite_begins_anew(run, monkeypatch):
    old = Manifest.load(run)
    write_tombstones(run, tombs(ShardReader(run.url).key(0)))
    new = Manifest("test", (write_without(run, old.shards[0], [1, 2, 3, 4]), old.shards[1]))
    load, calls = Manifest.load, []

    def overtaken(folder):
        calls.append(load(folder))
        if len(calls) == 1:
            new.save(folder)
            folder.delete("shards/00000.tar")
            folder.delete("shards/00000.idx")
        return calls[-1]

    monkeypatch.setattr(Manifest, "load", overtaken)
    reader = ShardReader(run.url)
    assert (reader.version, len(reader)) == (new.version, 7)
