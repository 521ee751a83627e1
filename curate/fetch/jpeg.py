"""JPEG without metadata. Source: ITU-T T.81 annex B (markers), JFIF 1.02, ICC.1 annex B.4."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from curate.fetch.container import Stripped, take
from curate.fetch.orientation import UPRIGHT, orientation_exif, read_orientation

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn; C4, C8, CC are tables and an extension
_CODING = _FRAMES | {0xC4, 0xCC, _SOS, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}  # what is needed to decode
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")  # not stuffing, not a restart, not fill
_LENGTH_BYTES = 2
_JFIF_BYTES = 12  # up to the size of the thumbnail
_ADOBE_BYTES = 12
_MAX_SCANS = 64  # real progressive files have about ten; a thousand empty ones keep a decoder busy for minutes


@dataclass
class _Parts:
    kept: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    size: tuple[int, int] | None = None
    scans: int = 0
    oriented: bool = False


def strip_jpeg(data: bytes) -> Stripped:
    """Keep coding segments, JFIF without thumbnail, Adobe's colour transform, ICC and the orientation.

    Raises:
        EOFError: the file ends before its end marker.
        ValueError: it is not a well-formed JPEG.
    """
    parts = _Parts()
    for marker, payload, coded in _segments(data):
        _keep(parts, marker, payload)
        parts.kept.append(coded)
    if parts.size is None or not parts.scans:
        raise ValueError("no picture inside")
    width, height = parts.size
    return Stripped(b"".join([*parts.kept, b"\xff\xd9"]), width, height, width * height)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, payload and the coded data that follows a start of scan, up to the end of the first picture."""
    place = 2
    while (found := _next_marker(data, place))[1][0] != _EOI:
        marker = found[1][0]
        length = int.from_bytes(take(data, found.end(), _LENGTH_BYTES))
        if marker == _SOI or length < _LENGTH_BYTES:
            raise ValueError("a picture inside the picture, or a segment shorter than its own length")
        payload = take(data, found.end(), length)[_LENGTH_BYTES:]
        place = found.end() + length
        coded_end = _next_marker(data, place).start() if marker == _SOS else place
        yield marker, payload, data[place:coded_end]
        place = coded_end


def _next_marker(data: bytes, place: int) -> re.Match[bytes]:
    found = _MARKER.search(data, place)
    if found is None:
        raise EOFError
    return found


def _keep(parts: _Parts, marker: int, payload: bytes) -> None:
    if marker in _CODING:
        parts.kept.append(_segment(marker, payload))
        _note(parts, marker, payload)
    elif marker == _APP1 and payload.startswith(b"Exif\0\0") and not parts.oriented:
        parts.oriented = True
        orientation = read_orientation(payload)
        if orientation != UPRIGHT:
            parts.kept.append(_segment(_APP1, b"Exif\0\0" + orientation_exif(orientation)))
    else:
        kept = _application(marker, payload)
        if kept is not None:
            parts.kept.append(_segment(marker, kept))


def _note(parts: _Parts, marker: int, payload: bytes) -> None:
    """Count scans and remember the size, which a file states once."""
    if marker == _SOS:
        parts.scans += 1
        if parts.scans > _MAX_SCANS:
            raise ValueError("more scans than any picture needs")
    if marker in _FRAMES:
        if parts.size is not None:
            raise ValueError("two frame headers")
        parts.size = int.from_bytes(take(payload, 3, 2)), int.from_bytes(take(payload, 1, 2))


def _application(marker: int, payload: bytes) -> bytes | None:
    """Return what stays of an application segment: what changes the pixels' meaning, without thumbnails."""
    if marker == _APP0 and payload.startswith(b"JFIF\0") and len(payload) >= _JFIF_BYTES:
        return payload[:_JFIF_BYTES] + b"\0\0"
    if marker == _APP2 and payload.startswith(b"ICC_PROFILE\0"):
        return payload
    if marker == _APP14 and payload.startswith(b"Adobe") and len(payload) >= _ADOBE_BYTES:
        return payload[:_ADOBE_BYTES]
    return None


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + _LENGTH_BYTES).to_bytes(2) + payload
