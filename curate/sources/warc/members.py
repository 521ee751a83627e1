"""A file as a stream of pieces, decompressed, each with the place in the file that it came from.

Web archives are compressed a record at a time, so that one can be read without those before it: as gzip members
(RFC 1952) or zstd frames (RFC 8878). Damage costs the member it is in; reading goes on where a record begins next.
"""

import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import IO, Protocol

RECORD = b"WARC/"
DAMAGED, CUT = "damaged", "cut"

_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 8  # of a member: enough for every magic number, and for the size of a skippable frame
_GZIP, _ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
# Of compressed data at once: what comes out of it is held in memory, up to a thousand times as much of gzip and
# 128 KiB for every four bytes of zstd.
_GZIP_STEP, _ZSTD_STEP = 1 << 12, 1 << 10
_MOST_WINDOW_BYTES = 1 << 27
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_DICTIONARY = 0x184D2A5D  # https://iipc.github.io/warc-specifications/specifications/warc-zstd/
_MOST_DICTIONARY_BYTES = 1 << 24


@dataclass(frozen=True)
class Piece:
    """Some bytes of a file, or what is wrong with those that should be here."""

    data: bytes
    member: int
    """Where the member begins in the file; 0 for a file that is not compressed."""
    inside: int
    """Bytes of the member before these."""
    fault: str | None = None
    """`damaged`, or `cut` where the file ends too early; what follows begins a record."""


class _Engine(Protocol):
    """What decompresses one member."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class _Compression:
    magic: bytes
    step: int
    engine: Callable[[], _Engine]
    errors: tuple[type[Exception], ...]


def pieces(stream: IO[bytes], name: str, member: int = 0, inside: int = 0) -> Iterator[Piece]:
    """Yield a file's content from a place on, as its `name` says it is compressed.

    Raises:
        OSError: the disk or the store refuses.
        ImportError: it is compressed with zstd, and the package zstandard is not here.
    """
    if name.endswith(".gz"):
        gzip = _Compression(_GZIP, _GZIP_STEP, _gunzip, (zlib.error,))
        yield from _past(inside, _members(stream, member, gzip))
    elif name.endswith(".zst"):
        yield from _past(inside, _members(stream, member, _zstd(stream)))
    else:
        stream.seek(inside)
        while data := stream.read(_CHUNK_BYTES):
            yield Piece(data, 0, inside)
            inside += len(data)


def _past(inside: int, found: Iterator[Piece]) -> Iterator[Piece]:
    """Leave out what the first member has before `inside`."""
    for piece in found:
        skipped = min(inside, len(piece.data))
        inside -= skipped
        if piece.fault or skipped < len(piece.data):
            yield Piece(piece.data[skipped:], piece.member, piece.inside + skipped, piece.fault)


class _Raw:
    """A file's own bytes from a place on."""

    def __init__(self, stream: IO[bytes], at: int) -> None:
        self._stream, self._chunk, self._used, self.at = stream, b"", 0, at
        stream.seek(at)

    def peek(self, count: int) -> bytes:
        """Return the next bytes; fewer than `count` at the end of the file only."""
        while len(self._chunk) - self._used < count and (more := self._stream.read(_CHUNK_BYTES)):
            self._chunk, self._used = self._chunk[self._used :] + more, 0
        return self._chunk[self._used : self._used + count]

    def skip(self, count: int) -> None:
        """Go on by some bytes."""
        self.at += count
        self._used += count
        if self._used > len(self._chunk):
            self._stream.seek(self.at)
            self._chunk, self._used = b"", 0

    def find(self, magic: bytes) -> bool:
        """Go on to where `magic` stands next; return False, at the end, where it does not."""
        while len(self.peek(_CHUNK_BYTES)) >= len(magic):
            place = self._chunk.find(magic, self._used)
            if place >= 0:
                self.skip(place - self._used)
                return True
            self.skip(len(self._chunk) - self._used - len(magic) + 1)
        return False


def _members(stream: IO[bytes], at: int, compression: _Compression) -> Iterator[Piece]:
    raw = _Raw(stream, at)
    whole = True
    while head := raw.peek(_HEAD_BYTES):
        if head[0] == 0:  # padding, which some tools leave at the end
            raw.skip(len(head) - len(head.lstrip(b"\0")))
        elif head.startswith(compression.magic):
            whole = yield from _member(raw, compression, trusted=whole)
        elif compression.magic == _ZSTD and (skippable := _skippable(head)):
            raw.skip(skippable)
        else:
            if whole:
                yield Piece(b"", raw.at, 0, DAMAGED)
            whole = False
            if not raw.find(compression.magic):
                return


def _member(raw: _Raw, compression: _Compression, *, trusted: bool) -> Generator[Piece, None, bool]:
    """Yield a member's pieces; return whether it is whole. One that is not trusted counts if it begins a record."""
    member, inside, engine, data = raw.at, 0, compression.engine(), b""
    while not engine.eof:
        step = raw.peek(compression.step)
        fault = None if step else CUT
        try:
            data += engine.decompress(step)
        except compression.errors:
            fault = DAMAGED
        known = trusted or engine.eof or len(data) >= len(RECORD)
        if fault or (known and not trusted and not data.startswith(RECORD)):
            # What is left of this step is looked through, since the next member may begin in it.
            raw.skip(1 if raw.at == member else 0)
            if trusted and fault:
                yield Piece(b"", member, inside, fault)
            return False
        raw.skip(len(step) - len(engine.unused_data))
        trusted = known
        if known and data:
            yield Piece(data, member, inside)
            inside, data = inside + len(data), b""
    return True


def _gunzip() -> _Engine:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)


def _zstd(stream: IO[bytes]) -> _Compression:
    import zstandard

    dictionary = _dictionary(stream)
    reader = zstandard.ZstdDecompressor(
        dict_data=zstandard.ZstdCompressionDict(dictionary) if dictionary else None, max_window_size=_MOST_WINDOW_BYTES
    )

    def engine() -> _Engine:
        return reader.decompressobj()

    return _Compression(_ZSTD, _ZSTD_STEP, engine, (zstandard.ZstdError,))


def _dictionary(stream: IO[bytes]) -> bytes:
    """Return the dictionary that a file of this format may begin with, nothing where it has none that can be read."""
    import zstandard

    stream.seek(0)
    head = stream.read(_HEAD_BYTES)
    size = _skippable(head) - _HEAD_BYTES
    if not 0 <= size <= _MOST_DICTIONARY_BYTES or _number(head) != _DICTIONARY:
        return b""
    data = stream.read(size)
    if not data.startswith(_ZSTD):
        return data
    try:
        return bytes(zstandard.ZstdDecompressor().decompress(data, max_output_size=_MOST_DICTIONARY_BYTES))
    except zstandard.ZstdError:
        return b""


def _skippable(head: bytes) -> int:
    """Return the bytes of the skippable frame that begins with `head`, 0 where none does."""
    is_one = len(head) == _HEAD_BYTES and _number(head) in _SKIPPABLE
    return _HEAD_BYTES + _number(head[4:]) if is_one else 0


def _number(head: bytes) -> int:
    return int.from_bytes(head[:4], "little")
