"""Records of archives in any state: whole ones come out as FastWARC wrote them, and damage costs what it hits."""

import io

import pytest
import zstandard
from archives import CONVERSION, ENDS, http, packed, record, web_page
from fastwarc.warc import ArchiveIterator
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.sources.warc.members import pieces
from curate.sources.warc.records import records

MANY = [record(i, http(web_page(i))) for i in range(8)]
ANY = settings(max_examples=150, derandomize=True, deadline=None, database=None)


def read(data, end="", most=1 << 20, member=0, inside=0):
    return list(records(io.BytesIO(data), f"a.warc{end}", most, member, inside))


def numbers(found):
    """The numbers of records, None for what has no headers, and why each failed."""
    ids = [r.headers.get("warc-record-id") for r in found]
    return [
        (i and int(i.strip("<>").removeprefix("urn:uuid:")[:8], 16), r.fault) for i, r in zip(ids, found, strict=True)
    ]


def whole(*without):
    return [(i, None) for i in range(8) if i not in without]


@ENDS
def test_records_are_those_that_another_reader_finds(end):
    data = packed(MANY, end)
    theirs = [(dict(r.headers.items())["WARC-Record-ID"], r.reader.read()) for r in
              ArchiveIterator(io.BytesIO(data), parse_http=False)]  # fmt: skip
    ours = [(r.headers["warc-record-id"], r.block) for r in read(data, end)]
    assert ours == theirs
    assert len(ours) == 8


@ENDS
def test_each_is_read_again_from_its_place(end):
    data = packed(MANY, end)
    for found in read(data, end):
        again = read(data, end, member=found.member, inside=found.inside)[0]
        assert (again.headers, again.block, again.fault) == (found.headers, found.block, None)


@pytest.mark.parametrize("size", [37, 100, 1000, 10**6])
@pytest.mark.parametrize("end", [".gz", ".zst"])
def test_members_need_not_be_records(end, size):
    plain = b"".join(MANY)
    data = packed([plain[i : i + size] for i in range(0, len(plain), size)], end)
    found = read(data, end)
    assert numbers(found) == whole()
    last = found[-1]
    assert read(data, end, member=last.member, inside=last.inside)[0].block == last.block


@pytest.mark.parametrize("compressed", [False, True])
def test_a_zstd_dictionary_at_the_head_of_the_file(compressed):
    trained = zstandard.train_dictionary(2000, [record(i, http(web_page(i))) for i in range(200)])
    head = zstandard.compress(trained.as_bytes()) if compressed else trained.as_bytes()
    pack = zstandard.ZstdCompressor(dict_data=trained).compress
    frame = (0x184D2A5D).to_bytes(4, "little") + len(head).to_bytes(4, "little") + head
    data = frame + b"".join(map(pack, MANY))
    found = read(data, ".zst")
    assert numbers(found) == whole()
    assert read(data, ".zst", member=found[5].member)[0].block == found[5].block


def test_only_as_much_of_a_block_is_kept_as_asked_for():
    found = read(b"".join(MANY), most=50)
    assert numbers(found) == whole()
    assert [len(r.block) for r in found] == [50] * 8
    assert found[0].length == len(http(web_page(0)))


def test_a_cut_file():
    for end in ("", ".gz", ".zst"):
        data = packed(MANY, end)
        assert numbers(read(data[:-40], end))[:7] == whole(7), end
        assert read(data[:-40], end)[-1].fault == "cut"


@pytest.mark.parametrize("end", [".gz", ".zst"])
def test_damage_costs_the_member_it_is_in(end):
    parts = [packed([one], end) for one in MANY]
    middle = len(parts[3]) // 2
    for wrong in (
        parts[3][:middle] + b"\xff\x00\xff\x00" * 9 + parts[3][middle + 36 :],
        parts[3][:middle],
        b"no member at all",
        packed([b"no record at all"], end),
    ):
        found = numbers(read(b"".join([*parts[:3], wrong, *parts[4:]]), end))
        assert [one for one in found if one[1] is None] == whole(3)
        assert len(found) == 8


@ENDS
@pytest.mark.parametrize("told", [0, 10, 100])
def test_a_length_that_is_too_short_costs_its_record(end, told):
    size = str(len(http(web_page(3)))).encode()
    wrong = MANY[3].replace(b"Content-Length: " + size, b"Content-Length: " + str(told).encode())
    assert wrong != MANY[3]
    found = numbers(read(packed([*MANY[:3], wrong, *MANY[4:]], end), end))
    assert found == [*whole(*range(3, 8)), (3, "bad_length"), *whole(0, 1, 2, 3)]


@pytest.mark.parametrize("end", [".gz", ".zst"])
def test_a_length_that_is_too_long_ends_where_the_next_member_begins_a_record(end):
    size = str(len(http(web_page(3)))).encode()
    wrong = MANY[3].replace(b"Content-Length: " + size, b"Content-Length: 99999999")
    found = numbers(read(packed([*MANY[:3], wrong, *MANY[4:]], end), end))
    assert found == [*whole(*range(3, 8)), (3, "bad_length"), *whole(0, 1, 2, 3)]


@pytest.mark.parametrize("told", [b"-5", b"x", b"", b"9" * 400, b"1e3"])
def test_a_length_that_is_none(told):
    size = str(len(http(web_page(3)))).encode()
    wrong = MANY[3].replace(b"Content-Length: " + size, b"Content-Length: " + told)
    found = numbers(read(b"".join([*MANY[:3], wrong, *MANY[4:]])))
    assert found == [*whole(*range(3, 8)), (None, "bad_record"), *whole(0, 1, 2, 3)]


def test_a_page_that_quotes_a_record_is_one_record():
    quoting = record(3, b"".join(MANY[:2]), CONVERSION, "text/plain")
    found = read(b"".join([*MANY[:3], quoting, *MANY[4:]]))
    assert numbers(found) == whole()
    assert found[3].block == b"".join(MANY[:2])


def test_padding_and_blank_lines_are_nothing():
    assert read(b"\r\n\r\n") == read(b"") == read(b"\0" * 5000, ".gz") == []
    assert numbers(read(packed(MANY, ".gz") + b"\0" * 5000, ".gz")) == whole()
    assert numbers(read(b"\n\n" + b"\r\n".join(MANY) + b"\n\n")) == whole()


def test_folded_and_repeated_headers():
    (found,) = read(b"WARC/1.1\nX: a\n b\nx: c\nNo colon\nContent-Length: 2\n\nhi\n\n")
    assert (found.headers, found.block) == ({"x": "a b", "content-length": "2"}, b"hi")


def test_what_comes_out_of_a_bomb_comes_in_bounded_pieces():
    for end in (".gz", ".zst"):
        data = packed([b"\0" * 200_000_000], end)
        found = [len(piece.data) for piece in pieces(io.BytesIO(data), end)]
        assert sum(found) == 200_000_000
        assert max(found) < 40_000_000


@ANY
@given(data=st.binary(max_size=600), end=st.sampled_from(["", ".gz", ".zst"]))
def test_any_bytes_give_records_that_failed(data, end):
    assert all(r.fault for r in read(data, end))


@ANY
@given(data=st.data(), end=st.sampled_from(["", ".gz", ".zst"]))
def test_flipped_inserted_and_lost_bytes_are_told(data, end):
    good = packed(MANY, end)
    start = data.draw(st.integers(0, len(good) - 1))
    stop = data.draw(st.integers(start, min(len(good), start + 300)))
    hurt = good[:start] + data.draw(st.binary(max_size=300)) + good[stop:]
    found = read(hurt, end)
    blocks = [r.block for r in found if not r.fault]
    lost = [i for i in range(8) if http(web_page(i)) not in blocks]
    if lost:
        assert any(r.fault for r in found) or len(blocks) == 8
    # Where each record is a member, damage does not spread: the first and the last are not both lost.
    if end:
        assert len(lost) <= 4
    for r in found:
        assert (r.member, r.inside) >= (0, 0)
