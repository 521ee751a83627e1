"""128 bits of what a row says, as the two halves that a `Sketch` holds."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from curate.dedupe.folded import Block, blocks

Halves = tuple[NDArray[np.uint64], NDArray[np.uint64]]
"""Two uint64[n]."""
_BYTES = 16


def of_hex(values: Sequence[str]) -> Halves:
    """Return the first 32 of each value's hex digits; all values have the same number of them, 32 or more.

    Raises:
        ValueError: they have not, or there are no hex digits in one.
    """
    digits = 2 * _BYTES
    short = [value for value in values if len(value) < digits]
    if short:
        raise ValueError(f"{short[0]!r} has fewer than {digits} hex digits")
    return _halves(bytes.fromhex("".join(value[:digits] for value in values)))


def of_values(values: Iterable[str | None]) -> Halves:
    """Return BLAKE2b of each text's bytes, 128 bits of it; of a null, 0."""
    empty = bytes(_BYTES)
    return _halves(b"".join(empty if value is None else _digest(value.encode()) for value in values))


def of_texts(texts: Sequence[str | None], *, digits: bool) -> tuple[NDArray[np.uint64], ...]:
    """Return the halves of BLAKE2b of each text as `curate.dedupe.folded` folds it, and bool[n]: nothing is left of it.

    Between words stands one separator, and none before the first: only words and their order count.
    """
    hashers = [hashlib.blake2b(digest_size=_BYTES) for _ in texts]
    lengths = np.zeros(len(texts), np.int64)
    for block in blocks(texts, digits=digits):
        codes, begins = _separated_once(block)
        raw = memoryview(codes.astype("<u4").tobytes())
        for text, start, stop in zip(block.texts.tolist(), begins[:-1].tolist(), begins[1:].tolist(), strict=True):
            hashers[text].update(raw[4 * start : 4 * stop])
            lengths[text] += stop - start
    return *_halves(b"".join(hasher.digest() for hasher in hashers)), lengths == 0


def _separated_once(block: Block) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return letters, and of separators the first behind each word; and where the pieces begin among them."""
    letter = block.codes != 0
    kept = np.flatnonzero(letter[1:] | letter[:-1]) + 1
    return block.codes[kept], np.searchsorted(kept, block.begins)


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=_BYTES).digest()


def _halves(joined: bytes) -> Halves:
    values = np.frombuffer(joined, ">u8").astype(np.uint64).reshape(-1, 2)
    return values[:, 0].copy(), values[:, 1].copy()
