import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import IntegrityError, RunError, StorageError
from curate.shards import Manifest, ShardReader, write_shard
from curate.storage import Folder

from .conftest import make_samples, write_run

EXPECTED = [(key, dict(members)) for key, members in make_samples(8)]


def everything(reader):
    return [(reader.key(i), reader.read(i)) for i in range(len(reader))]


def test_every_sample_by_number(run):
    reader = ShardReader(run.url)
    assert everything(reader) == EXPECTED
    assert [reader.read(i) for i in (7, 0, 5, 4)] == [EXPECTED[i][1] for i in (7, 0, 5, 4)]
    assert reader.version == reader.manifest.version


def test_numbers_outside_are_index_errors(run):
    reader = ShardReader(run.url)
    for i in (-1, 8):
        with pytest.raises(IndexError):
            reader.read(i)
        with pytest.raises(IndexError):
            reader.key(i)


def test_empty_shards_shift_nothing(tmp_path):
    run = write_run(tmp_path / "run", (0, 5, 0, 3, 0))
    assert everything(ShardReader(run.url)) == EXPECTED
    assert len(ShardReader(write_run(tmp_path / "none", ()).url)) == 0


def entomb(run, keys):
    with run.writing("tombstones.parquet") as path:
        pq.write_table(pa.table({"key": keys, "request": ["r"] * len(keys)}), path)


def test_erased_samples_are_neither_counted_nor_readable(run):
    entomb(run, [EXPECTED[1][0], EXPECTED[6][0], "not in this run"])
    reader = ShardReader(run.url)
    left = [sample for i, sample in enumerate(EXPECTED) if i not in {1, 6}]
    assert len(reader) == 6
    assert everything(reader) == left
    assert everything(pickle.loads(pickle.dumps(reader))) == left


def test_places_are_rows_of_shards_whatever_is_erased(run):
    assert [ShardReader(run.url).place(i) for i in (0, 4, 5, 7)] == [(0, 0), (0, 4), (1, 0), (1, 2)]
    assert ShardReader(run.url).erased() == {}
    entomb(run, [EXPECTED[1][0], EXPECTED[6][0]])
    reader = ShardReader(run.url)
    assert [reader.place(i) for i in range(6)] == [(0, 0), (0, 2), (0, 3), (0, 4), (1, 0), (1, 2)]
    assert reader.erased() == {"00000.tar": [1], "00001.tar": [1]}
    with pytest.raises(IndexError):
        reader.place(6)


def test_a_key_is_found_whether_erased_or_not(run):
    entomb(run, [EXPECTED[6][0]])
    reader = ShardReader(run.url)
    assert [reader.find(EXPECTED[i][0]) for i in (0, 4, 6)] == [(0, 0), (0, 4), (1, 1)]
    assert reader.find("0" * 31) is None
    assert [reader.numbers(shard) for shard in (0, 1)] == [range(5), range(5, 7)]


def test_all_of_a_shard_may_be_erased(run):
    entomb(run, [key for key, _ in EXPECTED[:5]])
    assert everything(ShardReader(run.url)) == EXPECTED[5:]


def test_it_pickles_with_files_open(run):
    reader = ShardReader(run.url)
    reader.read(3)
    assert everything(pickle.loads(pickle.dumps(reader))) == EXPECTED


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files through /proc")
def test_open_files_are_bounded(tmp_path):
    run = write_run(tmp_path / "run", (1,) * 30)
    reader = ShardReader(run.url, open_shards=3)
    before = open_files()
    for i in range(30):
        reader.read(i)
    assert 0 < open_files() - before <= 6
    del reader
    assert open_files() == before


def test_threads_share_a_reader_that_keeps_closing_files(tmp_path):
    run = write_run(tmp_path / "run", (1,) * 8)
    reader = ShardReader(run.url, open_shards=1)
    order = [i * 5 % 8 for i in range(800)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(reader.read, order)) == [EXPECTED[i][1] for i in order]


def test_no_finished_run(tmp_path):
    with pytest.raises(RunError, match=r"holds no manifest.json"):
        ShardReader(str(tmp_path))


def test_damage_is_named_not_returned(run):
    shards = Path(run.path("shards"))
    reader = ShardReader(run.url)
    reader.read(0)
    os.truncate(shards / "00000.tar", 600)
    with pytest.raises(IntegrityError, match=r"00000.tar: ends before byte"):
        reader.read(0)
    with pytest.raises(IntegrityError, match=r"00000.tar: has 600 bytes, and the manifest says 20480"):
        ShardReader(run.url).read(0)
    (shards / "00001.idx").write_bytes(b"")
    with pytest.raises(IntegrityError, match=r"00001.idx: sha256 differs"):
        reader.read(6)
    (shards / "00001.idx").unlink()
    with pytest.raises(StorageError, match=r"00001.idx: No such file"):
        reader.read(6)


def test_a_missing_tar_is_named(run):
    (Path(run.path("shards")) / "00001.tar").unlink()
    with pytest.raises(StorageError, match=r"00001.tar: not found"):
        ShardReader(run.url).read(6)


@pytest.mark.parametrize("place", ["memory", "s3"])
def test_other_file_systems(place, request):
    url = "memory://shards/run" if place == "memory" else request.getfixturevalue("bucket") + "/run"
    run = write_run(url)
    entomb(run, [EXPECTED[2][0]])
    reader = ShardReader(url)
    left = EXPECTED[:2] + EXPECTED[3:]
    assert everything(reader) == left
    assert everything(pickle.loads(pickle.dumps(reader))) == left
    local = write_run(request.getfixturevalue("tmp_path") / "run")
    assert local.read("manifest.json") == run.read("manifest.json")
    assert Folder(url).read("shards/00000.tar") == local.read("shards/00000.tar")
    Folder(url).delete("")


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the test's own server is a thread
def test_a_forked_child_makes_its_own_connection(bucket):
    """PyTorch's loaders fork by default, and s3fs refuses to work in a fork of its process."""
    reader = ShardReader(write_run(f"{bucket}/forked").url)
    assert reader.read(0) == EXPECTED[0][1]
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(sending, pickle.dumps((reader.read(1), reader.read(6))))
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    assert pickle.loads(answer) == (EXPECTED[1][1], EXPECTED[6][1])
    assert reader.read(2) == EXPECTED[2][1]


def test_large_and_small_samples_come_back_whole(tmp_path):
    samples = [
        (f"{i}", [("jpg", bytes([i]) * size), ("json", b"{}"), ("txt", b"")])
        for i, size in enumerate((1 << 15, 1, (1 << 15) - 1026, 100_000, 0, (1 << 15) - 1025))
    ]
    run = Folder(str(tmp_path))
    Manifest("sizes", (write_shard(run / "shards", "00000.tar", samples),)).save(run)
    assert everything(ShardReader(run.url)) == [(key, dict(members)) for key, members in samples]
