"""Making pictures that go wrong, out of pictures that are right."""

import io
import struct
import zlib

from PIL import Image

BOMB_SIDE = 20_000
"""Pixels: 400 million of them in 50 kB, more than any limit of a fetcher should let through."""


def cropped(picture: bytes, pixels: int) -> bytes:
    """Return the picture as PNG without its last columns: the same to a viewer, other bytes to a hash."""
    image = _opened(picture)
    return _png(image.crop((0, 0, image.width - pixels, image.height)))


def resized(picture: bytes, width: int, height: int) -> bytes:
    """Return the picture as PNG of another size, in pixels."""
    return _png(_opened(picture).resize((width, height)))


def truncated_jpeg(picture: bytes) -> bytes:
    """Return the first two thirds of the picture as JPEG, as a broken download leaves it."""
    whole = io.BytesIO()
    _opened(picture).convert("RGB").save(whole, "JPEG", quality=90)
    return whole.getvalue()[: len(whole.getvalue()) * 2 // 3]


def pixel_bomb() -> bytes:
    """Return a valid PNG of 20,000 x 20,000 black pixels, written row by row so that nobody holds them."""
    packer = zlib.compressobj(9)
    row = b"\x00" * (1 + BOMB_SIDE // 8)  # a filter byte, then one bit a pixel
    data = b"".join(packer.compress(row) for _ in range(BOMB_SIDE)) + packer.flush()
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _opened(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture)) as image:
        return image.convert("RGBA")


def _png(image: Image.Image) -> bytes:
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()
