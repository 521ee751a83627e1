"""Tags glued before or behind a sound. Sources: id3.org, ID3v2.4.0 structure, 3.1; ID3v1; APEv2; Lyrics3 v2."""

from curate.fetch.container import take

_HEADER_BYTES = 10
_FOOTER_FLAG = 0x10
_ID3V1_BYTES = 128
_BEHIND = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")


def after_tags(data: bytes) -> int:
    """Return where the sound begins behind any ID3v2 tags.

    Raises:
        EOFError: a tag is longer than the file.
    """
    place = 0
    while data.startswith(b"ID3", place):
        header = take(data, place, _HEADER_BYTES)
        length = 0
        for byte in header[6:]:
            length = length << 7 | byte & 0x7F
        place += _HEADER_BYTES + length + (_HEADER_BYTES if header[5] & _FOOTER_FLAG else 0)
    if place > len(data):
        raise EOFError
    return place


def begins_tag(data: bytes, place: int) -> bool:
    """Tell whether what stands here is a tag of the kinds that follow a sound."""
    return data.startswith(_BEHIND, place)


def without_id3v1(data: bytes) -> bytes:
    """Drop the 128 bytes of an ID3v1 tag from the end, if there is one."""
    return data[:-_ID3V1_BYTES] if data[-_ID3V1_BYTES:].startswith(b"TAG") else data
