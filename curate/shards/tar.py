"""The ustar format (POSIX.1-1988), as far as shards need it: regular files with constant metadata.

Equal members give equal bytes: time 0, mode 0644, no owner. Written by hand because `tarfile` spends more time on a
header than the disk on a small picture.
"""

import re
from collections.abc import Callable, Iterator
from typing import IO

from curate.errors import IntegrityError, RunError

BLOCK = 512
RECORD = 20 * BLOCK  # GNU tar reads records of this size and warns about a shorter last one
MAX_NAME = 100
MAX_SIZE = 8**11 - 1  # eleven octal digits
_CHUNK = 1 << 20
_BEFORE_SIZE = b"0000644\0" + b"0000000\0" * 2  # mode, uid, gid
_MTIME = b"00000000000\0"
_AFTER_CHECKSUM = b"0" + bytes(100) + b"ustar\x0000"  # regular file, no link target, magic and version
_CONSTANT_SUM = sum(_BEFORE_SIZE + _MTIME + b" " * 8 + _AFTER_CHECKSUM)
_OCTAL = re.compile(rb"[0-7]{11}\0")


def header(name: str, size: int) -> bytes:
    """Return the 512-byte header of a file of `size` bytes.

    Raises:
        RunError: the name takes over 100 bytes, or the file 8 GiB or more.
    """
    raw = name.encode()
    if len(raw) > MAX_NAME:
        raise RunError(f"a member name takes {len(raw)} bytes, and tar allows {MAX_NAME}: shorten key or extension")
    if size > MAX_SIZE:
        raise RunError(f"a member takes {size} bytes, and tar allows {MAX_SIZE}: split it or leave the sample out")
    digits = b"%011o\0" % size
    checksum = _CONSTANT_SUM + sum(raw) + sum(digits)
    head = raw.ljust(100, b"\0") + _BEFORE_SIZE + digits + _MTIME + b"%06o\0 " % checksum + _AFTER_CHECKSUM
    return head.ljust(BLOCK, b"\0")


def padding(size: int) -> bytes:
    """Return the zeros between `size` bytes of data and the next header."""
    return bytes(-size % BLOCK)


def ending(size: int) -> bytes:
    """Return what closes an archive of `size` bytes: two zero blocks, then zeros to a whole record."""
    return bytes(2 * BLOCK + -(size + 2 * BLOCK) % RECORD)


def walk(stream: IO[bytes], seen: Callable[[bytes], object]) -> Iterator[tuple[str, int, int]]:
    """Yield (name, offset of the data, size) of each member; `seen` is given every byte read, in order.

    Raises:
        IntegrityError: a header is damaged, or the archive ends before its end mark.
    """
    at = 0
    while True:
        block = stream.read(BLOCK)
        seen(block)
        if len(block) < BLOCK:
            raise IntegrityError(f"ends at byte {at + len(block)} without an end mark")
        if not any(block):
            return
        name, size = _parse(block, at)
        yield name, at + BLOCK, size
        at += BLOCK + size + len(padding(size))
        _pass_over(stream, size + len(padding(size)), seen, at)


def _parse(block: bytes, at: int) -> tuple[str, int]:
    name, digits = block[:100].rstrip(b"\0"), block[124:136]
    try:
        if _OCTAL.fullmatch(digits) and block == header(name.decode(), int(digits[:11], 8)):
            return name.decode(), int(digits[:11], 8)
    except UnicodeDecodeError:
        pass
    raise IntegrityError(f"the member header at byte {at} is damaged")


def _pass_over(stream: IO[bytes], size: int, seen: Callable[[bytes], object], end: int) -> None:
    left = size
    while left:
        chunk = stream.read(min(left, _CHUNK))
        if not chunk:
            raise IntegrityError(f"ends at byte {end - left}, inside a member")
        seen(chunk)
        left -= len(chunk)
