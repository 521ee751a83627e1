import json

import pytest

from curate.errors import IntegrityError, RunError
from curate.shards import Manifest, ShardEntry
from curate.storage import Folder

ENTRY = ShardEntry("00000.tar", "a" * 64, 10240, 3, "b" * 64)
MANIFEST = Manifest("demo", (ENTRY, ShardEntry("00001.tar", "c" * 64, 20480, 2, "d" * 64)))


def test_golden_bytes():
    assert Manifest("demo", (ENTRY,)).to_bytes().decode() == (
        '{\n "format": "curate-shards-1",\n "name": "demo",\n "samples": 3,\n "shards": [\n  {\n'
        f'   "bytes": 10240,\n   "index_sha256": "{"b" * 64}",\n   "name": "00000.tar",\n   "samples": 3,\n'
        f'   "sha256": "{"a" * 64}"\n  }}\n ],\n'
        ' "version": "469e252f994a6ea59a03913d39498aadd2f6415a8c369c38dcbfd2c947a813f4"\n}\n'
    )


def test_it_comes_back_as_it_was(tmp_path):
    assert Manifest.from_bytes(MANIFEST.to_bytes()) == MANIFEST
    run = Folder(str(tmp_path))
    MANIFEST.save(run)
    assert Manifest.load(run) == MANIFEST
    assert MANIFEST.samples == 5


def test_the_version_names_content_and_order_of_shards():
    first, second = MANIFEST.shards
    versions = {
        m.version
        for m in (
            MANIFEST,
            Manifest("demo", (second, first)),
            Manifest("demo", (first,)),
            Manifest("demo", (first, ShardEntry("00001.tar", "e" * 64, 20480, 2, "d" * 64))),
        )
    }
    assert len(versions) == 4
    reindexed = ShardEntry("00001.tar", "c" * 64, 20480, 2, "f" * 64)
    assert Manifest("other", (first, reindexed)).version == MANIFEST.version


def test_a_run_without_manifest(tmp_path):
    with pytest.raises(RunError, match=r"holds no manifest.json.*finish the run with `curate run`"):
        Manifest.load(Folder(str(tmp_path)))


def edited(change):
    content = json.loads(MANIFEST.to_bytes())
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xff", "is not JSON"),
        (b"[]", "does not say"),
        (edited(lambda m: m.update(format="curate-shards-9")), "does not say"),
        (edited(lambda m: m.pop("name")), "needs 'name' as str"),
        (edited(lambda m: m.update(shards={})), "needs 'shards' as list"),
        (edited(lambda m: m["shards"][1].pop("bytes")), "shard 1 needs exactly the fields name, sha256"),
        (edited(lambda m: m["shards"][1].update(samples="2")), "needs 'samples' as int"),
        (edited(lambda m: m["shards"][1].update(samples=True)), "needs 'samples' as int"),
        (edited(lambda m: m.update(samples=6)), "another sample count or version"),
        (edited(lambda m: m.update(version="0")), "another sample count or version"),
        (edited(lambda m: m["shards"].reverse()), "another sample count or version"),
    ],
)
def test_a_malformed_manifest_says_where_and_what(data, fault):
    with pytest.raises(IntegrityError, match=f"^x/manifest.json: .*{fault}"):
        Manifest.from_bytes(data, "x/manifest.json")


@pytest.mark.parametrize("name", ["../victim.tar", "a/../../victim.tar", "/victim.tar", "..", ".tar", "", "00000.idx"])
def test_a_shard_is_a_file_of_its_run(name):
    named = Manifest("demo", (ShardEntry(name, "a" * 64, 10240, 3, "b" * 64),))
    with pytest.raises(IntegrityError, match="shard 0 has"):
        Manifest.from_bytes(named.to_bytes())


@pytest.mark.parametrize("field", ["sha256", "index_sha256"])
def test_sums_are_sums(field):
    sums = {"sha256": "a" * 64, "index_sha256": "b" * 64, field: "../../victim"}
    named = Manifest("demo", (ShardEntry("00000.tar", bytes=10240, samples=3, **sums),))
    with pytest.raises(IntegrityError, match=f"as '{field}'"):
        Manifest.from_bytes(named.to_bytes())
