"""FLAC without metadata. Source: RFC 9639, sections 8 (metadata), 9.1 (frame header) and 9.3 (frame footer)."""

from curate.fetch.container import take
from curate.fetch.id3 import after_tags, without_id3v1

_MARK = b"fLaC"
_STREAMINFO, _LAST = 0, 0x80
_STREAMINFO_BYTES = 34
_SYNC = (b"\xff\xf8", b"\xff\xf9")
_MOST_FRAME_BYTES = 1 << 21  # a frame of 65,535 samples, 8 channels and 24 bits takes 1.6 MB if nothing compresses
_TRIES = 4  # one frame in a thousand holds bytes that look like a header, checksum and all


def strip_flac(data: bytes) -> bytes:
    """Keep the stream's description and the frames; comments, pictures, cue sheets, seek tables and tags go.

    Raises:
        EOFError: the file ends before its last frame does.
        ValueError: it is not a well-formed FLAC, or something follows its last frame.
    """
    place = after_tags(data) + len(_MARK)
    kind, described = 0, b""
    while not kind & _LAST:
        kind = take(data, place, 1)[0]
        length = int.from_bytes(take(data, place + 1, 3))
        block = take(data, place + 4, length)
        if kind & ~_LAST == _STREAMINFO:
            if described or length != _STREAMINFO_BYTES:
                raise ValueError("not one description of the stream")
            described = block
        place += 4 + length
    if not described:
        raise ValueError("no description of the stream")
    frames = without_id3v1(data[place:])
    if not frames.startswith(_SYNC):
        raise ValueError("no frame inside")
    _expect_whole(frames)
    return _MARK + bytes((_LAST | _STREAMINFO,)) + len(described).to_bytes(3) + described + frames


def _expect_whole(frames: bytes) -> None:
    """Hold the end of the data to be the end of a frame: its checksum there says so, and nothing can follow it."""
    end, lowest, tries = len(frames), max(0, len(frames) - _MOST_FRAME_BYTES), 0
    while tries < _TRIES:
        start = max(frames.rfind(mark, lowest, end) for mark in _SYNC)
        if start < 0:
            break
        if _is_header(frames, start):
            tries += 1
            if not _crc16(frames[start:]):
                return
        end = start + 1
    raise EOFError


def _is_header(frames: bytes, start: int) -> bool:
    """Tell a frame header from two bytes that look like one, by its checksum."""
    head = frames[start : start + 16]
    if len(head) < 6 or head[3] & 1:  # noqa: PLR2004 - the shortest header, and its reserved bit
        return False
    number = _utf8_bytes(head[4])
    size = {6: 1, 7: 2}.get(head[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    length = 4 + number + size
    return number > 0 and len(head) > length and _crc8(head[: length + 1]) == 0


def _utf8_bytes(first: int) -> int:
    """Return how many bytes a number coded like UTF-8 takes, 0 where it cannot begin so."""
    ones = 8 - (first ^ 0xFF).bit_length()
    return {0: 1, 1: 0, 8: 0}.get(ones, ones)


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        rows.append(value)
    return tuple(rows)


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 8 & 0xFFFF ^ _CRC16[value >> 8 ^ byte]
    return value
