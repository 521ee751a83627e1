"""WAV without metadata. Source: Microsoft and IBM, Multimedia Programming Interface (1991), 3; RFC 2361 (formats)."""

import struct
from collections.abc import Iterator

from curate.fetch.container import take

_RIFF_HEADER = 12
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_FORMAT_BYTES = {_PCM: 16, _FLOAT: 16, _A_LAW: 16, _MU_LAW: 16, _EXTENSIBLE: 40}
# Programs that write into a pipe cannot go back to state the length: ffmpeg writes the first, espeak the second.
_UNKNOWN_LENGTHS = frozenset({0xFFFFFFFF, 0x7FFFF000})


def strip_wav(data: bytes) -> bytes:
    """Keep the format and the samples; names, comments, cues, thumbnails and what nobody knows go.

    Raises:
        EOFError: the samples end before the length that their header states.
        ValueError: it is not a well-formed WAV of PCM, float, A-law or mu-law samples.
    """
    layout, samples = b"", None
    for kind, payload in _chunks(data):
        if kind == b"fmt ":
            if layout:
                raise ValueError("two formats")
            layout = _layout(payload)
        elif kind == b"data":
            samples = payload
            break
    if not layout or samples is None:
        raise ValueError("no samples inside")
    frame = int.from_bytes(layout[12:14], "little")
    samples = samples[: len(samples) // frame * frame]
    whole = b"WAVE" + _chunk(b"fmt ", layout) + _chunk(b"data", samples)
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = _RIFF_HEADER
    while place < len(data):
        kind, length = struct.unpack("<4sI", take(data, place, 8))
        place += 8
        if kind == b"data" and length in _UNKNOWN_LENGTHS:
            length = len(data) - place
        yield kind, take(data, place, length)
        place += length + length % 2


def _layout(payload: bytes) -> bytes:
    """Return what a reader needs of the format chunk, and no byte more."""
    known = _FORMAT_BYTES.get(int.from_bytes(take(payload, 0, 2), "little"))
    if known is None:
        raise ValueError("samples in a coding that is not read here")
    layout = take(payload, 0, known)
    if not int.from_bytes(layout[12:14], "little"):
        raise ValueError("frames of no length")
    return layout


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)
