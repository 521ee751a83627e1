"""Pictures that look the same: re-encoded, resized or brightened copies, and cut and mirrored ones where asked."""

import hashlib
from functools import partial
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from curate.dedupe.hamming import pairs
from curate.dedupe.perceptual import BITS, CLEAR, NEAR, hashed, luminance
from curate.dedupe.spanning import Edges, Nodes, Spanning
from curate.dedupe.views import MIRRORS, WINDOWS, mirrored, none, windows
from curate.reduce import Pairwise, Reduce, Sketch, Sketcher
from curate.stage import threshold

_BYTES = BITS // 8


class ImageNearDuplicates(Reduce):
    """Keep one of all pictures that are joined by PDQ hashes at most `radius` bits apart.

    Source: Facebook, The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm (2019), whose radius and
    quality are the defaults. All pairs are found, none is missed, see `hamming`. Pictures of a quality below
    `at_least_quality` are duplicates only where their bytes are equal: a flat picture's hash is chance. A null and
    what cannot be read are nobody's duplicates, and stay. Not implemented: turns by 90 degrees.
    """

    name: ClassVar[str] = "image_near_duplicates"
    reason: ClassVar[str] = "image_near_duplicate"
    reads: ClassVar[tuple[str, ...]] = ("image",)

    radius: int = threshold(NEAR, "bits of 256 in which the hashes of two copies may differ", ge=0, le=64)
    at_least_quality: int = threshold(
        CLEAR, "PDQ quality below which a picture is too flat for its hash: only equal bytes are copies", ge=0, le=100
    )
    flips: bool = Field(
        default=False, description="find copies with left and right, or top and bottom, swapped as well"
    )
    crops: bool = Field(
        default=False,
        description="find copies that lack up to a tenth of all edges, or of one edge, as well; 15 hashes more",
    )

    def open(self) -> Sketcher:
        """Return a function that hashes the pictures of a table, and what they look like mirrored or cut."""
        return partial(_sketch, flips=self.flips, crops=self.crops)

    def comparing(self) -> Pairwise:
        """Compare all with all."""
        turns = 1 + MIRRORS * self.flips
        find = partial(joining, turns=turns, radius=self.radius, at_least_quality=self.at_least_quality)
        return Pairwise(payload_bytes=_width(flips=self.flips, crops=self.crops), find=find)


def joining(left: pa.Array, right: pa.Array, *, turns: int, radius: int, at_least_quality: int) -> Edges:
    """Return places (i, j) of copies among n left and m right payloads: not all, but enough to join all that are.

    A cluster of k copies has up to k**2 / 2 pairs; fewer than n + m are returned, and what they join is what all of
    them would. Two pictures are copies if a window of one, or the whole, is near a turn of the other, or the same
    with the two swapped.
    """
    one = _Looks(left, turns, at_least_quality)
    # Two blocks can hold equal hashes of pictures whose bytes differ: these are copies, and no block is the other.
    alone = left is right
    other = one if alone else _Looks(right, turns, at_least_quality, first=len(left))
    spanning = Spanning(len(left) + (0 if alone else len(right)))
    if alone and one.plain:
        _join(spanning, one.windows, None, radius)
    else:
        _join(spanning, one.windows, other.turns, radius)
        if not (alone or one.plain):
            _join(spanning, other.windows, one.turns, radius)
    i, j = spanning.edges()
    return np.minimum(i, j), np.maximum(i, j) - (0 if alone else len(left))


_Hashes = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""uint8[n, 32] and int64[n]: hashes, and the pictures they are of."""


def _join(spanning: Spanning, left: _Hashes, right: _Hashes | None, radius: int) -> None:
    nodes = Nodes(spanning, left[1], left[1] if right is None else right[1])
    for i, j in pairs(left[0], None if right is None else right[0], radius, nodes):
        spanning.add(nodes.left[i], nodes.right[j])


class _Looks:
    """The hashes in a block of payloads, of pictures that are not too flat."""

    def __init__(self, payloads: pa.Array, turns: int, at_least_quality: int, first: int = 0) -> None:
        rows = _rows(payloads)
        clear = np.flatnonzero(rows[:, 0] >= at_least_quality)
        hashes = rows[clear, 1:].reshape(len(clear), rows.shape[1] // _BYTES, _BYTES)
        numbers = clear + first
        self.plain = hashes.shape[1] == 1
        # Those of the whole picture and its mirror images come first, then those of its windows.
        self.turns = _flat(hashes[:, :turns], numbers)
        self.windows = _flat(np.delete(hashes, np.arange(1, turns), axis=1), numbers)


def _flat(hashes: NDArray[np.uint8], numbers: NDArray[np.int64]) -> _Hashes:
    return hashes.reshape(-1, _BYTES), np.repeat(numbers, hashes.shape[1])


def _rows(payloads: pa.Array) -> NDArray[np.uint8]:
    """Return uint8[n, width], the bytes of n values of fixed-size binary."""
    width = payloads.type.byte_width
    data = np.frombuffer(payloads.buffers()[1] or b"", np.uint8)
    return data[payloads.offset * width : (payloads.offset + len(payloads)) * width].reshape(-1, width)


def _width(*, flips: bool, crops: bool) -> int:
    """Return the bytes of a payload: a quality, and its hashes."""
    return 1 + _BYTES * (1 + MIRRORS * flips + WINDOWS * crops)


def _sketch(table: pa.Table, *, flips: bool, crops: bool) -> Sketch:
    pictures = [value.as_buffer() for value in table["image"]]
    digests = (hashlib.blake2b(b"" if picture is None else picture, digest_size=16).digest() for picture in pictures)
    halves = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2).astype(np.uint64)
    payloads = [
        None if picture is None else _payload(picture.to_pybytes(), flips=flips, crops=crops) for picture in pictures
    ]
    column = pa.array(payloads, pa.binary(_width(flips=flips, crops=crops)))
    return Sketch(halves[:, 0], halves[:, 1], apart=column.is_null().to_numpy(zero_copy_only=False), payload=column)


def _payload(picture: bytes, *, flips: bool, crops: bool) -> bytes | None:
    """Return a picture's quality and the hashes of its looks; None where it cannot be read."""
    luma = luminance(picture)
    if luma is None:
        return None
    bits, quality = hashed(luma)
    looks = (bits[None], mirrored(luma) if flips else none(), windows(luma) if crops else none())
    return bytes([quality]) + np.concatenate(looks).tobytes()
