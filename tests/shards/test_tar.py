import hashlib
import io
import tarfile

import pytest

from curate.errors import IntegrityError, RunError
from curate.shards.tar import MAX_SIZE, ending, header, padding, walk


def by_tarfile(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 123_456_789, MAX_SIZE])
@pytest.mark.parametrize("name", ["a.txt", "0123456789abcdef0123456789abcdef.json", "n" * 96 + ".jpg"])
def test_a_header_is_what_the_standard_library_writes(name, size):
    assert header(name, size) == by_tarfile(name, size)


def test_an_archive_is_whole_records_ending_in_two_zero_blocks():
    for size in range(0, 3 * 10240, 512):
        end = ending(size)
        assert (size + len(end)) % 10240 == 0
        assert len(end) >= 1024
        assert len(end) < 10240 + 1024
        assert not any(end)


def test_names_and_sizes_that_tar_cannot_hold_are_refused():
    with pytest.raises(RunError, match="takes 101 bytes, and tar allows 100"):
        header("n" * 101, 1)
    with pytest.raises(RunError, match="takes 8589934592 bytes"):
        header("a.jpg", MAX_SIZE + 1)


def archive(members):
    data = b"".join(header(name, len(body)) + body + padding(len(body)) for name, body in members)
    return data + ending(len(data))


MEMBERS = [("a.txt", b"x" * 513), ("b.txt", b""), ("c.txt", b"y" * 512)]


def test_walk_finds_every_member_and_shows_every_byte():
    data, seen = archive(MEMBERS), hashlib.sha256()
    stream = io.BytesIO(data)
    found = list(walk(stream, seen.update))
    assert [(name, data[at : at + size]) for name, at, size in found] == MEMBERS
    assert seen.digest() == hashlib.sha256(data[: stream.tell()]).digest()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d[:1500], "ends at byte 1500, inside a member"),
        (lambda d: d[:1536], "ends at byte 1536 without an end mark"),
        (lambda d: d[:1600], "ends at byte 1600 without an end mark"),
        (lambda d: d[:1536] + b"z" + d[1537:], "header at byte 1536 is damaged"),
        (lambda d: d[:124] + b"9" + d[125:], "header at byte 0 is damaged"),
        (lambda d: b"\xff" + d[1:], "header at byte 0 is damaged"),
    ],
)
def test_walk_says_where_an_archive_is_broken(change, fault):
    with pytest.raises(IntegrityError, match=fault):
        list(walk(io.BytesIO(change(archive(MEMBERS))), lambda _: None))
