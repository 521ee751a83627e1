"""Stripping metadata without re-encoding: places, times, names, cameras, comments and thumbnails leave, pixels stay.

The containers are rewritten from what is known to be needed, so what nobody has heard of goes too.
"""

from collections.abc import Callable

from curate.fetch.container import Stripped
from curate.fetch.gif import strip_gif
from curate.fetch.jpeg import strip_jpeg
from curate.fetch.png import strip_png
from curate.fetch.webp import strip_webp

_STRIPPERS: dict[str, Callable[[bytes], Stripped]] = {
    "jpg": strip_jpeg,
    "png": strip_png,
    "webp": strip_webp,
    "gif": strip_gif,
}


def sniff(data: bytes) -> str | None:
    """Return jpg, png, webp or gif by the first bytes, whatever a name or a header claims; None for all else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def strip_metadata(data: bytes, image_format: str) -> Stripped | str:
    """Return the picture without metadata, or the reason why its container cannot be read."""
    try:
        return _STRIPPERS[image_format](data)
    except EOFError:
        return "truncated_image"
    except ValueError:
        return "broken_image"
