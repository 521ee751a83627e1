import hashlib
import io
import subprocess
import tarfile
import tracemalloc

import pyarrow as pa
import pytest
import webdataset

from curate.errors import RunError
from curate.shards import shard_keys, write_shard
from curate.storage import Folder

from .conftest import make_samples

GOLDEN = "350295a733db45faee31ad70d96eb29425b04bc15ec4eb4b6c16162d59829ae0"  # what `tarfile` writes too, see below


def test_golden_bytes(tmp_path):
    entry = write_shard(Folder(str(tmp_path)), "00000.tar", [("a1", [("jpg", b"\xff\xd8"), ("txt", b"hi")])])
    data = (tmp_path / "00000.tar").read_bytes()
    head = b"a1.jpg" + bytes(94) + b"0000644\x000000000\x000000000\x0000000000002\x0000000000000\x00"
    assert data[: len(head)] == head
    assert data[512:514] == b"\xff\xd8"
    assert len(data) == entry.bytes == 10240
    assert hashlib.sha256(data).hexdigest() == entry.sha256 == GOLDEN
    assert entry.samples == 1
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in (("a1.jpg", b"\xff\xd8"), ("a1.txt", b"hi")):
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    assert data == stream.getvalue()


# webdataset leaves the file it read to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_standard_readers_get_every_member_in_order(tmp_path):
    samples = make_samples(20)
    write_shard(Folder(str(tmp_path)), "00000.tar", iter(samples))
    path = tmp_path / "00000.tar"
    expected = [(f"{key}.{extension}", data) for key, members in samples for extension, data in members]
    with tarfile.open(path) as tar:
        found = [(info.name, tar.extractfile(info).read()) for info in tar]
        assert {(info.mtime, info.mode, info.uid, info.gid, info.uname) for info in tar} == {(0, 0o644, 0, 0, "")}
    assert found == expected
    listed = subprocess.run(["tar", "tf", path], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == [name for name, _ in expected]
    assert listed.stderr == ""
    dataset = webdataset.WebDataset(str(path), shardshuffle=False)
    assert [(s["__key__"], [(e, s[e]) for e in ("jpg", "json", "txt")]) for s in dataset] == samples


def test_the_index_names_offsets_that_hold_the_data(tmp_path):
    samples = make_samples(20)
    folder = Folder(str(tmp_path))
    entry = write_shard(folder, "00000.tar", samples)
    data = (tmp_path / "00000.tar").read_bytes()
    assert hashlib.sha256((tmp_path / "00000.idx").read_bytes()).hexdigest() == entry.index_sha256
    rows = pa.ipc.open_file(tmp_path / "00000.idx").read_all().to_pylist()
    cut = [
        (r["key"], [(m["extension"], data[m["offset"] : m["offset"] + m["size"]]) for m in r["members"]]) for r in rows
    ]
    assert cut == samples


def test_the_same_samples_give_the_same_bytes(tmp_path):
    first = write_shard(Folder(str(tmp_path / "a")), "00000.tar", make_samples(9))
    second = write_shard(Folder(str(tmp_path / "b")), "00000.tar", make_samples(9))
    assert first == second
    assert (tmp_path / "a" / "00000.idx").read_bytes() == (tmp_path / "b" / "00000.idx").read_bytes()
    assert write_shard(Folder(str(tmp_path / "a")), "00000.tar", make_samples(8)) != first


def test_a_shard_without_samples_is_an_empty_archive(tmp_path):
    entry = write_shard(Folder(str(tmp_path)), "00000.tar", [])
    assert (entry.samples, entry.bytes) == (0, 10240)
    with tarfile.open(tmp_path / "00000.tar") as tar:
        assert tar.getnames() == []


def test_a_writer_that_dies_leaves_what_was_there_before(tmp_path):
    folder = Folder(str(tmp_path))

    def dying():
        yield from make_samples(50)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(folder, "00000.tar", dying())
    assert not list(tmp_path.iterdir())
    write_shard(folder, "00000.tar", make_samples(2))
    with pytest.raises(KeyboardInterrupt):
        write_shard(folder, "00000.tar", dying())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000.idx", "00000.tar"]
    with tarfile.open(tmp_path / "00000.tar") as tar:
        assert len(tar.getnames()) == 6


@pytest.mark.parametrize(
    ("sample", "fault"),
    [
        (("a.b", [("txt", b"")]), "sample 1: its key may only have letters"),
        (("a/b", [("txt", b"")]), "sample 1: its key may only have letters"),
        (("", [("txt", b"")]), "sample 1: its key may only have letters"),
        (("0" * 32, [("txt", b"")]), "sample 1: its key is already in this shard"),
        (("b", [("JPG", b"")]), "sample 1: extension 'JPG' may only have"),
        (("b", [("../x", b"")]), "sample 1: extension '../x' may only have"),
        (("b", [("txt", b""), ("txt", b"")]), "sample 1: it has no member, or two"),
        (("b", []), "sample 1: it has no member, or two"),
        (("b" * 97, [("txt", b"")]), "sample 1: a member name takes 101 bytes"),
    ],
)
def test_samples_that_would_not_come_back_are_refused(tmp_path, sample, fault):
    with pytest.raises(RunError, match=f"^00000.tar: {fault}"):
        write_shard(Folder(str(tmp_path)), "00000.tar", [*make_samples(1), sample])
    assert not list(tmp_path.iterdir())


def test_a_shard_is_never_in_memory(tmp_path):
    body = bytes(1 << 20)
    tracemalloc.start()
    try:
        write_shard(Folder(str(tmp_path)), "00000.tar", ((f"{i}", [("jpg", body)]) for i in range(40)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_keys_of_a_shard(run):
    assert shard_keys(run, "00001.tar") == [f"{i:032x}" for i in (5, 6, 7)]
