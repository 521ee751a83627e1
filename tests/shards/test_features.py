import json
from pathlib import Path

import numpy as np
import pytest

from curate.errors import IntegrityError, StorageError
from curate.shards import Features, Manifest, stored_features

from .conftest import write_run


def store(run, fingerprint="f" * 8, dtype="float16"):
    """Store 10 x shard + row in [2, 3] for every row but the second of each shard."""
    features = Features(run.url, fingerprint)
    shards = Manifest.load(run).shards
    for number, entry in enumerate(shards):
        with features.writing(entry, (2, 3), dtype) as (table, missing):
            for row in range(entry.samples):
                table[row] = 10 * number + row
            table[1] = 0
            missing["1"] = "picture_missing"
    features.finish({"weights": "w"}, shards)
    return features, shards


@pytest.mark.parametrize("place", ["disk", "memory", "s3"])
def test_rows_come_back_from_anywhere(place, request, tmp_path):
    url = {"disk": str(tmp_path / "run"), "memory": "memory://features/run"}.get(place)
    run = write_run(url or request.getfixturevalue("bucket") + "/features")
    store(run)
    features, shards = Features(run.url, "f" * 8), Manifest.load(run).shards
    assert stored_features(run.url) == ["f" * 8]
    assert features.cover(shards)
    assert all(features.has(entry) for entry in shards)
    for shard, row in ((0, 0), (0, 4), (1, 2)):
        found = features.read(shards[shard].name, row)
        assert found.dtype == np.float16
        assert found.tolist() == np.full((2, 3), 10 * shard + row).tolist()
        assert features.missing(shards[shard].name, row) is None
    assert features.missing("00001.tar", 1) == "picture_missing"
    assert not features.read("00001.tar", 1).any()
    run.delete("")


def test_remote_arrays_are_read_from_copies(bucket, tmp_path):
    run = write_run(f"{bucket}/copied")
    store(run)
    features = Features(run.url, "f" * 8, str(tmp_path))
    assert features.read("00001.tar", 2).tolist() == np.full((2, 3), 12).tolist()
    assert [path.name for path in tmp_path.rglob("*.npy")] == ["00001.npy"]
    run.delete("features/ffffffff/00001.npy")
    assert features.read("00001.tar", 0).tolist() == np.full((2, 3), 10).tolist()
    run.delete("")


def test_a_plain_numpy_file_lies_there_and_is_described(run):
    features, shards = store(run, dtype="float32")
    loaded = np.load(Path(features.url) / "00000.npy")
    assert loaded.shape == (5, 2, 3)
    head = json.loads((Path(features.url) / "features.json").read_bytes())
    assert head["made_by"] == {"weights": "w"}
    assert [(e["name"], e["sha256"], e["rows"], e["missing"]) for e in head["shards"]] == [
        (entry.name, entry.sha256, entry.samples, 1) for entry in shards
    ]


def test_features_belong_to_one_very_shard(run, tmp_path):
    features, shards = store(run)
    other = Manifest.load(write_run(tmp_path / "other", (4, 4))).shards
    assert not features.cover(other)
    assert not features.cover(shards[:1])
    assert not features.has(other[0])
    assert not Features(run.url, "0" * 8).cover(shards)
    assert not Features(run.url, "0" * 8).has(shards[0])


def test_a_killed_writer_leaves_nothing_that_counts(run):
    features, shards = Features(run.url, "half"), Manifest.load(run).shards

    def killed():
        with features.writing(shards[0], (2,), "float32") as (table, _):
            table[0] = 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert not features.has(shards[0])
    assert list(Path(features.url).iterdir()) == []


def test_damage_is_named(run):
    features, shards = store(run)
    array = Path(features.url) / "00000.npy"
    array.write_bytes(array.read_bytes()[:-2])
    assert not features.has(shards[0])
    with pytest.raises(IntegrityError, match=r"00000.npy: ends before byte"):
        features.read("00000.tar", 4)
    (Path(features.url) / "00001.json").write_bytes(b"{}")
    with pytest.raises(IntegrityError, match=r"00001.json: is damaged"):
        features.read("00001.tar", 0)
    (Path(features.url) / "features.json").write_bytes(b"[]")
    with pytest.raises(IntegrityError, match=r"features.json: is damaged"):
        features.cover(shards)
    array.unlink()
    with pytest.raises(StorageError, match=r"00000.npy"):
        features.read("00000.tar", 0)


def test_a_run_without_any(run):
    assert stored_features(run.url) == []
