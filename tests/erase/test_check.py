"""Faults of erasures that `curate check` finds, and that it finds none where there are none."""

import json

import pyarrow as pa
import pytest

from curate.erase import Asked, check_erasures, forget, rewrite, selector
from curate.run.check import check
from curate.shards import read_tombstones, write_tombstones

from .runs import keys, url


def quiet(_event):
    pass


@pytest.fixture
def erased(run):
    forget(run, Asked(tuple(selector("url", url(n)) for n in (1, 2, 55)), request="R-1"), quiet)
    rewrite(run, [], quiet)
    assert check(run) == check_erasures(run) == []
    return run


def test_tombstones_that_are_lost(erased):
    write_tombstones(erased.folder, read_tombstones(erased.folder).slice(1))
    faults = check_erasures(erased)
    assert any("1 of its keys have no tombstone" in fault for fault in faults)
    assert any("which the ledger says was erased: it would come back" in fault for fault in faults)


def test_tombstones_twice_and_without_certificate(erased):
    table = read_tombstones(erased.folder)
    write_tombstones(erased.folder, pa.concat_tables([table, table.slice(0, 1)]))
    erased.folder.delete("erasures")
    faults = check_erasures(erased)
    assert faults == [
        "tombstones.parquet: 1 keys stand in it twice",
        "erasures/R-1.json: is missing, and tombstones name that request; curate rewrite makes it",
    ]
    rewrite(erased, [], quiet)
    assert len(json.loads(erased.folder.read("erasures/R-1.json"))["forgotten"][0]["keys"]) == 3


def test_a_sample_that_came_back(erased):
    (key,) = keys_in_shards(erased)[:1]
    content = json.loads(erased.folder.read("erasures/R-1.json"))
    content["rewritten"][0]["keys"].append(key)
    erased.folder.write("erasures/R-1.json", json.dumps(content).encode())
    assert any(f"holds {key}, which erasures/R-1.json says was removed" in f for f in check_erasures(erased))


def keys_in_shards(run):
    from curate.shards import shard_keys

    return shard_keys(run.folder, "00002.tar")


def test_damaged_certificates_and_versions(erased):
    kept = erased.folder.names("versions/indexes")[0]
    erased.folder.write(f"versions/indexes/{kept}", b"damaged")
    assert any(fault.startswith("versions: ") for fault in check(erased))
    erased.folder.write("erasures/R-1.json", b"{")
    assert any("R-1.json: is damaged" in fault for fault in check_erasures(erased))


def test_what_waits_for_a_rewrite_is_no_fault(run):
    forget(run, Asked((selector("key", keys(run, 1)[0]),)), quiet)
    assert check(run) == check_erasures(run) == []


def test_keys_written_by_another_program_are_obeyed_and_removed(run):
    import pyarrow.parquet as pq

    (key,) = keys(run, 1)
    pq.write_table(pa.table({"key": [key]}), run.folder.path("tombstones.parquet"))
    done = rewrite(run, [], quiet)
    assert (done.requests, done.keys) == (("unrecorded",), 1)
    assert check(run) == check_erasures(run) == []
