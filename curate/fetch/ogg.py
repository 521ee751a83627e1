"""Ogg Vorbis and Opus without metadata. Sources: RFC 3533, section 6; Vorbis I, 4.2 and 5; RFC 7845, 3 and 5."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from curate.fetch.container import take

_CONTINUED, _FIRST, _LAST = 1, 2, 4
_HEADER = struct.Struct("<4sBBqIII B")
_FULL = 255
_MOST_SEGMENTS = 255
# In place of names and comments: a vendor of no letters and no comment; Vorbis ends it with a bit that is set.
_NO_COMMENTS = {b"\x01vorbis": b"\x03vorbis" + bytes(8) + b"\x01", b"OpusHead": b"OpusTags" + bytes(8)}
_HEADERS = {b"\x01vorbis": 3, b"OpusHead": 2}
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class _Page:
    flags: int
    granule: int
    serial: int
    lacing: bytes
    body: bytes


def strip_ogg(data: bytes) -> bytes:
    """Keep the one stream of a file with an empty comment header; other streams are refused.

    Raises:
        EOFError: the file ends before the page that says it is the last.
        ValueError: it is not a well-formed Ogg file with one stream of Vorbis or Opus.
    """
    pages = list(_pages(data))
    codec = next((mark for mark in _HEADERS if pages[0].body.startswith(mark)), None)
    if codec is None or not pages[0].flags & _FIRST:
        raise ValueError("neither Vorbis nor Opus")
    if any(page.serial != pages[0].serial or page.flags & _FIRST for page in pages[1:]):
        raise ValueError("more than one stream")
    packets, used = _packets(pages[1:], _HEADERS[codec] - 1)
    heads = [_NO_COMMENTS[codec], *packets[1:]]
    kept = [pages[0], *_headers(heads, pages[0].serial), *pages[1 + used :]]
    return b"".join(_packed(page, number) for number, page in enumerate(kept))


def _pages(data: bytes) -> Iterator[_Page]:
    """Yield pages up to the last of the stream.

    Raises:
        EOFError: there is no last page.
        ValueError: something else stands between pages, or a checksum is wrong.
    """
    place, last = 0, False
    while not last:
        mark, version, flags, granule, serial, _, checksum, segments = _HEADER.unpack(take(data, place, _HEADER.size))
        lacing = take(data, place + _HEADER.size, segments)
        body = take(data, place + _HEADER.size + segments, sum(lacing))
        whole = data[place : place + _HEADER.size + segments + len(body)]
        if mark != b"OggS" or version or checksum != _checksum(whole[:22] + bytes(4) + whole[26:]):
            raise ValueError("not a page")
        yield _Page(flags, granule, serial, lacing, body)
        place += len(whole)
        last = bool(flags & _LAST)


def _packets(pages: list[_Page], wanted: int) -> tuple[list[bytes], int]:
    """Return the first packets and how many pages they take; sound begins on a page of its own."""
    packets: list[bytes] = []
    current: list[bytes] = []  # joined once: a picture among the comments takes a piece for each 255 bytes
    for used, page in enumerate(pages, start=1):
        place = 0
        for length in page.lacing:
            current.append(page.body[place : place + length])
            place += length
            if length < _FULL:
                packets.append(b"".join(current))
                current = []
        if len(packets) == wanted and not current:
            return packets, used
        if len(packets) >= wanted:
            break
    raise ValueError("headers that do not end with a page")


def _headers(packets: list[bytes], serial: int) -> Iterator[_Page]:
    """Lay header packets on as few pages as they take."""
    lacing = b"".join(bytes([_FULL]) * (len(packet) // _FULL) + bytes([len(packet) % _FULL]) for packet in packets)
    body, place, continued = b"".join(packets), 0, 0
    for start in range(0, len(lacing), _MOST_SEGMENTS):
        here = lacing[start : start + _MOST_SEGMENTS]
        ends = any(length < _FULL for length in here)
        yield _Page(continued, 0 if ends else -1, serial, here, body[place : place + sum(here)])
        place += sum(here)
        continued = _CONTINUED if here[-1] == _FULL else 0


def _packed(page: _Page, number: int) -> bytes:
    fields = (b"OggS", 0, page.flags & (_CONTINUED | _FIRST | _LAST), page.granule, page.serial, number)
    whole = _HEADER.pack(*fields, 0, len(page.lacing)) + page.lacing + page.body
    return _HEADER.pack(*fields, _checksum(whole), len(page.lacing)) + page.lacing + page.body


def _checksum(page: bytes) -> int:
    """Return Ogg's CRC: zlib's polynomial with the bits the other way round and nothing inverted."""
    crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)
