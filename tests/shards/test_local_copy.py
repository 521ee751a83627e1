"""Copies of remote shards: whole, verified, made once."""

import multiprocessing
import os
import pickle
from pathlib import Path

import pytest

from curate.errors import IntegrityError, RunError, StorageError
from curate.shards import Manifest, ShardReader
from curate.shards.local_copy import LocalCopy
from curate.storage import Folder

from .conftest import make_samples, write_run

EXPECTED = [(key, dict(members)) for key, members in make_samples(8)]


def everything(reader):
    return [(reader.key(i), reader.read(i)) for i in range(len(reader))]


@pytest.fixture(params=["memory", "s3"])
def remote(request):
    url = "memory://local-copy" if request.param == "memory" else request.getfixturevalue("bucket") + "/copied"
    run = write_run(url)
    yield run
    run.delete("")


def test_shards_are_read_from_copies_once_they_are_here(remote, tmp_path):
    reader = ShardReader(remote.url, cache=str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    reader.read(6)
    here = tmp_path / reader.version
    assert sorted(p.name for p in here.iterdir() if p.suffix in {".tar", ".idx"}) == ["00001.idx", "00001.tar"]
    assert everything(reader) == EXPECTED
    for name in ("00000.tar", "00000.idx", "00001.tar", "00001.idx"):
        assert (here / name).read_bytes() == remote.read(f"shards/{name}")
        remote.delete(f"shards/{name}")
    assert everything(ShardReader(remote.url, cache=str(tmp_path))) == EXPECTED
    assert everything(pickle.loads(pickle.dumps(reader))) == EXPECTED


def test_other_bytes_are_refused_and_leave_nothing(remote, tmp_path):
    data = bytearray(remote.read("shards/00000.tar"))
    data[600] ^= 1
    remote.write("shards/00000.tar", bytes(data))
    reader = ShardReader(remote.url, cache=str(tmp_path))
    with pytest.raises(IntegrityError, match=r"00000\.tar: sha256 differs from the one written down"):
        reader.read(0)
    assert not list(tmp_path.rglob("*.tar"))
    assert not list(tmp_path.rglob(".part-*"))
    assert reader.read(6) == EXPECTED[6][1]
    data[600] ^= 1
    remote.write("shards/00000.tar", bytes(data))
    assert reader.read(0) == EXPECTED[0][1]


def test_what_is_not_there_is_named(remote, tmp_path):
    remote.delete("shards/00001.tar")
    with pytest.raises(StorageError, match=r"00001\.tar"):
        ShardReader(remote.url, cache=str(tmp_path)).read(6)
    assert not list(tmp_path.rglob("*.tar"))


def test_what_a_killed_process_left_is_written_over(remote, tmp_path):
    reader = ShardReader(remote.url, cache=str(tmp_path))
    (tmp_path / reader.version).mkdir()
    (tmp_path / reader.version / ".part-00000.tar").write_bytes(bytes(100_000))
    assert everything(reader) == EXPECTED
    assert not list(tmp_path.rglob(".part-*"))


def test_a_local_run_is_read_where_it_is(run, tmp_path):
    assert everything(ShardReader(run.url, cache=str(tmp_path / "cache"))) == EXPECTED
    assert not (tmp_path / "cache").exists()


def test_a_cache_is_a_folder_of_this_machine(run):
    with pytest.raises(RunError, match="give a local path"):
        ShardReader(run.url, cache="memory://cache")


def test_a_disk_that_refuses_is_named(remote, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="Make room or mend access"):
        ShardReader(remote.url, cache=str(tmp_path / "file")).read(0)


def bring(url, cache):
    """Copy a run's first shard in a process of its own."""
    run = Folder(url)
    manifest = Manifest.load(run)
    entry = manifest.shards[0]
    LocalCopy(run / "shards", cache, manifest.version).bring({entry.name: entry.sha256})
    os._exit(0)


def test_processes_share_one_copy(run, tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=bring, args=(run.url, str(tmp_path / "c"))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    version = Manifest.load(run).version
    copied = Path(tmp_path / "c" / version / "00000.tar")
    assert copied.read_bytes() == run.read("shards/00000.tar")
    assert not list((tmp_path / "c").rglob(".part-*"))
