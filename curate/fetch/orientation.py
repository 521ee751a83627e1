"""The one Exif field that decides how a picture is seen: its orientation. All other Exif is dropped."""

import struct

UPRIGHT = 1
_TAG = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12


def read_orientation(exif: bytes) -> int:
    """Return 1..8 from an Exif block, with or without its six-byte prefix; 1 where it says nothing usable."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for place in range(directory + 2, directory + 2 + entries * _ENTRY_BYTES, _ENTRY_BYTES):
            tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, place)
            if (tag, kind, count) == (_TAG, _SHORT, 1):
                return value if UPRIGHT <= value <= 8 else UPRIGHT  # noqa: PLR2004 - Exif 2.3, 4.6.4: values 1 to 8
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def orientation_exif(orientation: int) -> bytes:
    """Return a TIFF block of one directory with one entry."""
    header = b"MM\0*" + struct.pack(">I", 8)
    entry = struct.pack(">HHIHH", _TAG, _SHORT, 1, orientation, 0)
    return header + struct.pack(">H", 1) + entry + struct.pack(">I", 0)
