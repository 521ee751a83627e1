"""GIF without metadata. Source: CompuServe, Graphics Interchange Format 89a (1990)."""

import struct
from dataclasses import dataclass

from curate.fetch.container import Stripped, take

_EXTENSION, _IMAGE, _TRAILER, _STRAY = 0x21, 0x2C, 0x3B, 0x00
_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOP = (b"\x0bNETSCAPE2.0\x03\x01", b"\x0bANIMEXTS1.0\x03\x01")
_LOOP_BYTES = 16  # name, and one sub-block of three bytes: the number of rounds
_TABLE_FLAG = 0x80
_SCREEN_BYTES = 13


@dataclass
class _Extent:
    width: int
    height: int
    largest_area: int
    frames: int = 0


def strip_gif(data: bytes) -> Stripped:
    """Keep the screen, colour tables, frames, their controls and the loop count; comments and other extensions go.

    Raises:
        EOFError: the file ends before its trailer.
        ValueError: it is not a well-formed GIF.
    """
    screen = take(data, 0, _SCREEN_BYTES)
    width, height = struct.unpack_from("<HH", screen, 6)
    extent = _Extent(width, height, width * height)
    place = _SCREEN_BYTES + _table_bytes(screen[10])
    kept = [take(data, 0, place)]
    while (introducer := take(data, place, 1)[0]) != _TRAILER:
        if introducer == _STRAY:
            place += 1  # some writers leave zeros between blocks, and readers skip them
            continue
        if introducer == _EXTENSION:
            end = _blocks_end(data, place + 2)
            kept.append(_extension(data[place:end]))
        elif introducer == _IMAGE:
            end = _image_end(data, place, extent)
            kept.append(data[place:end])
        else:
            raise ValueError("unknown block")
        place = end
    if not extent.frames:
        raise ValueError("no picture inside")
    return Stripped(b"".join([*kept, b"\x3b"]), extent.width, extent.height, extent.largest_area)


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & _TABLE_FLAG else 0


def _blocks_end(data: bytes, place: int) -> int:
    """Return the place after a chain of sub-blocks and its terminator."""
    while length := take(data, place, 1)[0]:
        place += 1 + length
    return place + 1


def _extension(block: bytes) -> bytes:
    """Return what stays of an extension, perhaps nothing."""
    if block[1] == _CONTROL:
        return block
    if block[1] == _APPLICATION and block[2:].startswith(_LOOP):
        return block[: 2 + _LOOP_BYTES] + b"\0"
    return b""


def _image_end(data: bytes, place: int, extent: _Extent) -> int:
    """Return the place after a frame. The first frame may widen the screen, as readers let it."""
    left, top, width, height, flags = struct.unpack("<HHHHB", take(data, place + 1, 9))
    right, bottom = max(left + width, extent.width), max(top + height, extent.height)
    if not extent.frames:
        extent.width, extent.height = right, bottom
    extent.frames += 1
    extent.largest_area = max(extent.largest_area, right * bottom)
    return _blocks_end(data, place + 10 + _table_bytes(flags) + 1)
