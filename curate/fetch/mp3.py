"""MP3 without tags. Source: ISO/IEC 11172-3, 2.4.2.3 (frame header); ISO/IEC 13818-3, 2.4.2.3 (lower rates)."""

import re
from dataclasses import dataclass

from curate.fetch.container import take
from curate.fetch.id3 import after_tags, begins_tag

_SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")  # layer III of MPEG 1, 2 and 2.5, with and without CRC
_HEADER_BYTES = 4
_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MPEG1 = 3


@dataclass(frozen=True)
class _Frame:
    version: int
    rate: int
    length: int


def strip_mp3(data: bytes) -> bytes:
    """Keep the frames as they are; what stands before, between and behind them goes.

    The frame in which an encoder states the length stays: without it a player adds silence at both ends.

    Raises:
        EOFError: the file ends within a frame.
        ValueError: there are not two frames of one kind in a row.
    """
    place = _next(data, after_tags(data), None)
    if place is None:
        raise ValueError("no frame inside")
    first = _frame(data, place)
    kept: list[bytes] = []
    while place is not None and place < len(data) and not begins_tag(data, place):
        frame = _frame(data, place)
        if frame is None or not _alike(frame, first):
            place = _next(data, place + 1, first)
            continue
        kept.append(take(data, place, frame.length))
        place += frame.length
    return b"".join(kept)


def _next(data: bytes, place: int, like: _Frame | None) -> int | None:
    """Return where the next frame stands that another of its kind, or the end, follows."""
    for found in _SYNC.finditer(data, place):
        frame = _frame(data, found.start())
        if frame is None or not _alike(frame, like):
            continue
        follows = found.start() + frame.length
        after = _frame(data, follows)
        if (like is not None and follows == len(data)) or (after is not None and _alike(after, frame)):
            return found.start()
    return None


def _frame(data: bytes, place: int) -> _Frame | None:
    """Read a frame's header; None where none stands. Free formats, which state no length, count as none."""
    head = data[place : place + _HEADER_BYTES]
    if len(head) < _HEADER_BYTES or not _SYNC.match(head):
        return None
    version = head[1] >> 3 & 3
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version not in _RATES or not 0 < bits < 15 or rate == 3:  # noqa: PLR2004 - reserved values
        return None
    hertz = _RATES[version][rate]
    kbits = _KBITS[version == _MPEG1][bits]
    length = (144 if version == _MPEG1 else 72) * kbits * 1000 // hertz + (head[2] >> 1 & 1)
    return _Frame(version, hertz, length)


def _alike(frame: _Frame, like: _Frame | None) -> bool:
    return like is None or (frame.version, frame.rate) == (like.version, like.rate)
