"""PNG without metadata. Source: W3C Portable Network Graphics, third edition (2025), sections 5 and 11."""

import struct
import zlib

from curate.fetch.container import Stripped, take
from curate.fetch.orientation import UPRIGHT, orientation_exif, read_orientation

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_COLOUR = frozenset({b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs", b"cICP", b"mDCV", b"cLLI"})
_FRAMES = frozenset({b"acTL", b"fcTL", b"fdAT"})
_MAX_FRAMES = 0x7FFFFFFF
_ANCILLARY_BIT = 0x20
_IHDR_BYTES = 13


def strip_png(data: bytes) -> Stripped:
    """Keep critical, colour and animation chunks and the orientation; texts, times and what follows IEND go.

    Raises:
        EOFError: the file ends before IEND.
        ValueError: it is not a well-formed PNG.
    """
    header = take(data, len(_SIGNATURE), 8)
    if header != struct.pack(">I4s", _IHDR_BYTES, b"IHDR"):
        raise ValueError("the first chunk is not IHDR")
    width, height = struct.unpack(">II", take(data, len(_SIGNATURE) + 8, 8))
    animated = _is_animated(data)
    kept, place, kind = [_SIGNATURE], len(_SIGNATURE), b""
    seen: set[bytes] = set()
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", take(data, place, 8))
        chunk = take(data, place, length + 12)
        place += length + 12
        kept.append(_kept(kind, chunk, seen, animated=animated))
        seen.add(kind)
    return Stripped(b"".join(kept), width, height, width * height)


def _kept(kind: bytes, chunk: bytes, seen: set[bytes], *, animated: bool) -> bytes:
    """Return what stays of a chunk, perhaps nothing.

    Raises:
        ValueError: a critical chunk that the standard does not know, or a second header.
    """
    once = kind not in seen
    if kind in _CRITICAL:
        if kind == b"IHDR" and not once:
            raise ValueError("two IHDR chunks")
        return chunk
    if not kind[0] & _ANCILLARY_BIT:
        raise ValueError("unknown critical chunk")
    if kind in _COLOUR or (kind in _FRAMES and animated and (kind != b"acTL" or once)):
        return chunk
    orientation = read_orientation(chunk[8:-4]) if kind == b"eXIf" and once else UPRIGHT
    return b"" if orientation == UPRIGHT else _chunk(b"eXIf", orientation_exif(orientation))


def _is_animated(data: bytes) -> bool:
    """Tell whether an animation is announced as the standard asks: before the pixels, with at least one frame."""
    place, kind = len(_SIGNATURE), b""
    while kind not in (b"IDAT", b"IEND"):
        length, kind = struct.unpack(">I4s", take(data, place, 8))
        if kind == b"acTL":
            return 0 < int.from_bytes(take(data, place + 8, 4)) <= _MAX_FRAMES
        place += length + 12
    return False


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload), kind) + payload + struct.pack(">I", zlib.crc32(kind + payload))
