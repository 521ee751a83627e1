"""The records of a web archive (WARC 1.0 and 1.1, ISO 28500), whatever state the file is in.

Lengths are believed: what a record says it holds is not searched for other records, which a page could fake. Where
the bytes after a record show that its length was wrong, it fails, and reading goes on where a record begins next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, NoReturn

from curate.sources.warc.members import CUT, RECORD, Piece, pieces

BAD_RECORD, BAD_LENGTH = "bad_record", "bad_length"

_MOST_HEADER_BYTES = 1 << 16
_BLANK_BYTES = 1 << 12
_BLANK = b"\r\n\0"
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_BEGINS = re.compile(rb"\nWARC/[01]\.\d")
_FIRST_LINE = re.compile(rb"WARC/[01]\.\d+[ \t]*\r?\n")
_LONGEST_BEGINNING = 10
_FOLDED = re.compile(rb"\r?\n[ \t]+")
_LENGTH = re.compile(r"\d{1,15}")


@dataclass
class Record:
    """One record, or a stretch of the file that is none."""

    member: int
    """With `inside` the place to read it again from, see `Piece`."""
    inside: int
    headers: dict[str, str] = field(default_factory=dict)
    """By name in lower case; of several with one name the first. Empty where it has none that can be read."""
    block: bytes = b""
    """What it holds; cut where that is more than was asked for."""
    fault: str | None = None
    """`damaged`, `cut`, `bad_record` or `bad_length`; None for a good one."""

    @property
    def length(self) -> int:
        """Bytes it says it holds."""
        return int(self.headers.get("content-length", "0"))


def records(stream: IO[bytes], name: str, most: int, member: int = 0, inside: int = 0) -> Iterator[Record]:
    """Yield the records of a file from a place on, each with up to `most` bytes of what it holds.

    Args:
        stream: the file's own bytes; it can seek.
        name: its name, whose ending tells the compression.
        most: bytes of a block to keep in memory.
        member: where to begin, the `member` of a record of this file.
        inside: its `inside`.

    Raises:
        OSError: the disk or the store refuses.
        ImportError: it is compressed with zstd, and the package zstandard is not here.
    """
    text = _Text(pieces(stream, name, member, inside))
    while text.skip_blank():
        yield _record(text, most)


def _record(text: "_Text", most: int) -> Record:
    record = Record(*text.place)
    try:
        record.headers = _headers(text)
        record.fault = BAD_RECORD
        if record.headers:
            record.block = text.take(record.length, most)
            record.fault = None if text.at_end_of_record() else BAD_LENGTH
        if record.fault:
            text.go_to_record()
    except _Fault as fault:
        record.fault = fault.reason
    return record


def _headers(text: "_Text") -> dict[str, str]:
    """Take a record's headers; return none, and take nothing, where they cannot be read."""
    if not text.begins_record():
        return {}
    head = text.peek_to(_HEADER_END, _MOST_HEADER_BYTES)
    if not _FIRST_LINE.match(head):
        return {}
    found: dict[str, str] = {}
    for line in _FOLDED.sub(b" ", head).split(b"\n")[1:]:
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    if not _LENGTH.fullmatch(found.get("content-length", "")):
        return {}
    text.skip(len(head))
    return found


class _Fault(Exception):  # noqa: N818 - an event between two functions here, never seen outside
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Text:
    """The content of a file: pieces joined, and where each began."""

    def __init__(self, found: Iterator[Piece]) -> None:
        self._pieces, self._data, self._at = found, b"", 0
        self._marks: list[tuple[int, int, int]] = []
        """Where in `_data` a piece begins, with its `member` and `inside`; the first holds for what is next."""
        self._fault: Piece | None = None
        """What follows `_data`, where that is damage."""

    @property
    def place(self) -> tuple[int, int]:
        """Member and inside of the next byte, or of the damage that follows."""
        if self._fault is not None and self._at_damage:
            return self._fault.member, self._fault.inside
        start, member, inside = [mark for mark in self._marks if mark[0] <= self._at][-1]
        return member, inside + self._at - start

    def _more(self) -> bool:
        """Append a piece; return False at the end and before damage."""
        piece = None if self._fault else next(self._pieces, None)
        if piece is None:
            return False
        if piece.fault:
            self._fault = piece
            return False
        if self._at < len(self._data):
            member, inside = self.place
            later = [(i - self._at, m, n) for i, m, n in self._marks if i > self._at]
            self._marks = [(0, member, inside), *later]
        else:
            self._marks = []
        self._data, self._at = self._data[self._at :] + piece.data, 0
        self._marks.append((len(self._data) - len(piece.data), piece.member, piece.inside))
        return True

    def skip_blank(self) -> bool:
        """Go past line ends; return whether anything follows, be it damage."""
        while True:
            rest = self._data[self._at : self._at + _BLANK_BYTES]
            blank = len(rest) - len(rest.lstrip(_BLANK))
            self._at += blank
            if blank < len(rest):
                return True
            if not rest and not self._more():
                return self._fault is not None

    def peek_to(self, end: re.Pattern[bytes], most: int) -> bytes:
        """Return what comes next up to a pattern and with it; nothing where `most` bytes do not have it.

        Raises:
            _Fault: the file ends, or is damaged, before.
        """
        while (found := end.search(self._data, self._at, self._at + most)) is None:
            if len(self._data) - self._at >= most:
                return b""
            if not self._more():
                self._break_off()
        return self._data[self._at : found.end()]

    def skip(self, count: int) -> None:
        """Go on by bytes that were peeked at."""
        self._at += count

    def take(self, count: int, most: int) -> bytes:
        """Go on by `count` bytes; return the first `most` of them.

        Raises:
            _Fault: the file ends or is damaged before, or a member begins in them that begins a record.
        """
        kept: list[bytes] = []
        while count:
            if self._at == len(self._data) and not self._more():
                self._break_off()
            if self._member_begins():
                raise _Fault(BAD_LENGTH)
            stop = min([self._at + count, len(self._data), *(i for i, _, n in self._marks if i > self._at and not n)])
            part = self._data[self._at : min(stop, self._at + most)]
            kept.append(part)
            count, most = count - (stop - self._at), most - len(part)
            self._at = stop
        return b"".join(kept)

    def at_end_of_record(self) -> bool:
        """Tell whether what comes next can follow a record: two line ends, or another record, or no more."""
        ended = _HEADER_END.match(self._data, self._at)
        if ended or not self.skip_blank():
            return True
        return self._at_damage or self.begins_record()

    def begins_record(self) -> bool:
        """Tell whether a record begins here.

        Raises:
            _Fault: damage begins here.
        """
        begins = self._startswith(self._at)
        if self._at_damage:
            self._break_off()
        return begins

    @property
    def _at_damage(self) -> bool:
        return self._fault is not None and self._at == len(self._data)

    def go_to_record(self) -> None:
        """Go on to where a record begins, at least a byte further; or to the end, or past damage."""
        while True:
            line = _BEGINS.search(self._data, self._at)
            members = [i for i, _, n in self._marks if i > self._at and not n and self._startswith(i)]
            found = [*members, *([line.start() + 1] if line else [])]
            if found:
                self._at = min(found)
                return
            self._at = max(self._at, len(self._data) - _LONGEST_BEGINNING)
            if not self._more():
                self._at = len(self._data)
                self._fault = None
                return

    def _member_begins(self) -> bool:
        """Tell whether a member begins here that begins a record."""
        return any(i == self._at and not n for i, _, n in self._marks) and self.begins_record()

    def _startswith(self, place: int) -> bool:
        """Tell whether a record begins at a place of `_data`."""
        while len(self._data) - place < len(RECORD):
            before = self._at
            if not self._more():
                break
            place -= before
        return self._data.startswith(RECORD, place)

    def _break_off(self) -> NoReturn:
        """Forget what is left before the end or the damage, and raise what is wrong."""
        reason = self._fault.fault if self._fault and self._fault.fault else CUT
        self._at, self._fault = len(self._data), None
        raise _Fault(reason)
