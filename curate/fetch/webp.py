"""WebP without metadata. Source: RFC 9649, sections 2.5 to 2.7 (container) and 3.4 (lossless header); RFC 6386, 9.1."""

import struct
from collections.abc import Iterator

from curate.fetch.container import Stripped, take
from curate.fetch.orientation import UPRIGHT, orientation_exif, read_orientation

_PICTURE = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_KEPT = _PICTURE | {b"VP8X", b"ANIM", b"ANMF", b"ICCP"}
_HAS_EXIF, _HAS_XMP = 0x08, 0x04
_VP8X_BYTES = 10
_FRAME_HEADER = 16
_RIFF_HEADER = 12


def strip_webp(data: bytes) -> Stripped:
    """Keep pictures, alpha, animation, ICC and the orientation; Exif, XMP, unknown chunks and what follows go.

    Raises:
        EOFError: the file is shorter than its header says.
        ValueError: it is not a well-formed WebP.
    """
    body = take(data, _RIFF_HEADER, int.from_bytes(take(data, 4, 4), "little") - 4)
    chunks = list(_chunks(body))
    width, height = _size(chunks)
    orientation = next((read_orientation(payload) for kind, payload in chunks if kind == b"EXIF"), UPRIGHT)
    turned = orientation != UPRIGHT and chunks[0][0] == b"VP8X"
    kept = [_kept(kind, payload, turned=turned) for kind, payload in chunks if kind in _KEPT]
    if turned:
        kept.append(_chunk(b"EXIF", orientation_exif(orientation)))
    whole = b"WEBP" + b"".join(kept)
    return Stripped(b"RIFF" + struct.pack("<I", len(whole)) + whole, width, height, width * height)


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place < len(body):
        kind, length = struct.unpack("<4sI", take(body, place, 8))
        yield kind, take(body, place + 8, length)
        place += 8 + length + length % 2


def _size(chunks: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    """Return width and height in pixels as the first chunk declares them; a reader allocates by them."""
    kind, payload = chunks[0] if chunks else (b"", b"")
    if kind == b"VP8X":
        return _u24(payload, 4) + 1, _u24(payload, 7) + 1
    if kind == b"VP8L":
        bits = int.from_bytes(take(payload, 1, 4), "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", take(payload, 6, 4))
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no picture inside")


def _u24(payload: bytes, start: int) -> int:
    return int.from_bytes(take(payload, start, 3), "little")


def _kept(kind: bytes, payload: bytes, *, turned: bool) -> bytes:
    if kind == b"VP8X":
        flags = take(payload, 0, _VP8X_BYTES)[0] & ~_HAS_XMP & ~_HAS_EXIF | (_HAS_EXIF if turned else 0)
        return _chunk(kind, bytes((flags,)) + payload[1:_VP8X_BYTES])
    if kind == b"ANMF":
        inner = [_chunk(k, p) for k, p in _chunks(payload[_FRAME_HEADER:]) if k in _PICTURE]
        return _chunk(kind, take(payload, 0, _FRAME_HEADER) + b"".join(inner))
    return _chunk(kind, payload)


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)
