"""What the four picture formats share when their containers are walked: bounded reads and the result."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stripped:
    """A picture file without its metadata, and the sizes that its headers declare."""

    data: bytes
    """The same coded pixels in a container that holds what is needed to show them, and no more."""
    width: int
    """Pixels, as stored: an orientation is not applied."""
    height: int
    """Pixels, as stored."""
    largest_area: int
    """Pixels of the largest picture or frame that any header in the file asks a reader to allocate."""


def take(data: bytes, start: int, length: int) -> bytes:
    """Return `length` bytes from `start`.

    Raises:
        EOFError: the data ends before.
    """
    part = data[start : start + length]
    if len(part) < length:
        raise EOFError
    return part
