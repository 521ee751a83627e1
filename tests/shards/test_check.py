import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from curate.shards import Manifest, check_shards, write_shard

from .conftest import make_samples, write_run


def change(run, name, how):
    path = Path(run.path("shards")) / name
    path.write_bytes(how(bytearray(path.read_bytes())))


def flip(at):
    def how(data):
        data[at] ^= 1
        return data

    return how


def test_a_good_run_has_no_fault(run):
    assert check_shards(run) == []


@pytest.mark.parametrize("place", ["memory", "s3"])
def test_other_file_systems(place, request):
    url = "memory://shards/check" if place == "memory" else request.getfixturevalue("bucket") + "/check"
    run = write_run(url)
    assert check_shards(run) == []
    run.write("shards/00001.tar", run.read("shards/00001.tar")[:1000])
    assert len(check_shards(run)) == 4
    run.delete("")


def test_a_flipped_byte_of_a_picture(run):
    change(run, "00000.tar", flip(700))
    assert check_shards(run) == ["shards/00000.tar: sha256 differs from the manifest's"]


def test_a_flipped_byte_behind_the_end_mark(run):
    change(run, "00000.tar", flip(-1))
    assert check_shards(run) == ["shards/00000.tar: sha256 differs from the manifest's"]


def test_a_flipped_byte_of_a_header(run):
    change(run, "00000.tar", flip(0))
    assert check_shards(run) == [
        "shards/00000.tar: the member header at byte 0 is damaged",
        "shards/00000.tar: sha256 differs from the manifest's",
        "shards/00000.tar: holds 0 whole members, and the index names 15",
    ]


def test_a_tar_cut_at_a_member_boundary(run):
    change(run, "00000.tar", lambda data: data[:1024])
    assert check_shards(run) == [
        "shards/00000.tar: ends at byte 1024 without an end mark",
        "shards/00000.tar: has 1024 bytes, and the manifest says 20480",
        "shards/00000.tar: sha256 differs from the manifest's",
        "shards/00000.tar: holds 1 whole members, and the index names 15",
    ]


def test_missing_files(run):
    shards = Path(run.path("shards"))
    (shards / "00000.idx").unlink()
    (shards / "00001.tar").unlink()
    faults = check_shards(run)
    assert [fault.split(":")[0].rsplit("/", 1)[-1] for fault in faults] == ["00000.idx", "00001.tar"]
    assert all("not found" in fault for fault in faults)


def test_a_damaged_index(run):
    change(run, "00001.idx", flip(300))
    assert check_shards(run) == ["shards/00001.idx: sha256 differs from the manifest's"]


def put_manifest(run, **changes):
    manifest = Manifest.load(run)
    first = replace(manifest.shards[0], **changes)
    Manifest(manifest.name, (first, *manifest.shards[1:])).save(run)


def test_a_wrong_sample_count(run):
    put_manifest(run, samples=4)
    assert check_shards(run) == ["shards/00000.idx: names 5 samples, and the manifest says 4"]


def test_an_index_of_another_shard(run):
    other = write_shard(run / "shards", "other.tar", [(f"{i:032x}", [("jpg", b"12")]) for i in range(15)])
    change(run, "00000.idx", lambda _: Path(run.path("shards/other.idx")).read_bytes())
    put_manifest(run, index_sha256=other.index_sha256, samples=15)
    (run / "shards").delete("other.tar")
    (run / "shards").delete("other.idx")
    faults = check_shards(run)
    assert faults[0] == (
        f"shards/00000.tar: member 0 is {0:032x}.jpg of 505 bytes at 512,"
        f" and the index says {0:032x}.jpg of 2 bytes at 512"
    )
    assert len(faults) == 15 + 3  # and the keys of the next shard, which the wrong index names too


def test_a_file_that_is_no_index_is_named_even_if_the_manifest_has_its_hash(run):
    change(run, "00000.idx", lambda _: b"not arrow at all")
    put_manifest(run, index_sha256=hashlib.sha256(b"not arrow at all").hexdigest())
    assert check_shards(run) == ["shards/00000.idx: is damaged: no Arrow file with one record batch"]


def test_files_the_manifest_does_not_name(run):
    write_shard(run / "shards", "00002.tar", make_samples(1, 100))
    assert check_shards(run) == [
        "shards/00002.idx: the manifest does not name it; delete it",
        "shards/00002.tar: the manifest does not name it; delete it",
    ]


def test_a_key_in_two_shards(run):
    entry = write_shard(run / "shards", "00002.tar", make_samples(2, 4))
    manifest = Manifest.load(run)
    Manifest("test", (*manifest.shards, entry)).save(run)
    assert check_shards(run) == [
        f"shards/00002.tar: key {4:032x} is in 00000.tar already",
        f"shards/00002.tar: key {5:032x} is in 00001.tar already",
    ]


def test_no_manifest_is_the_one_fault(run):
    run.delete("manifest.json")
    (fault,) = check_shards(run)
    assert "holds no manifest.json" in fault
