"""Looking for pictures: the very bytes, or what looks the same."""

import hashlib
from collections.abc import Sequence

import numpy as np

from curate.dedupe.perceptual import BITS, CLEAR, NEAR, distances, hashes, lookalikes
from curate.erase.selectors import Selector
from curate.errors import InputError

PICTURES = frozenset({"jpg", "jpeg", "png", "webp", "gif"})
"""Members of a shard that are pictures."""

_REMEMBERED = 1_000_000
"""Pictures that are not hashed twice: about 100 MB."""


class Likeness:
    """The pictures that are looked for."""

    def __init__(self, selectors: Sequence[Selector], within: int = NEAR, *, any_turn: bool = False) -> None:
        """Hash each; `within` is how many of 256 bits may differ, `any_turn` finds mirrored and turned copies too.

        Raises:
            InputError: a file is no picture, or one so flat that nothing tells it from other flat pictures.
        """
        self.selectors = list(selectors)
        self._exact: dict[str, list[int]] = {}
        bits, owners = [], []
        for number, wanted in enumerate(self.selectors):
            data = wanted.picture()
            self._exact.setdefault(hashlib.sha256(data).hexdigest(), []).append(number)
            found = hashes([data])
            quality = int(found.quality[0])
            if quality < 0:
                raise InputError(f"--image {wanted.given}: is not a picture that can be read")
            # Of a flat picture only its very bytes are looked for: its hash is chance, and would erase strangers.
            if quality >= CLEAR:
                variants = lookalikes(data, any_turn=any_turn)
                bits.append(variants)
                owners += [number] * len(variants)
        self._bits = np.concatenate(bits) if bits else np.zeros((0, BITS // 8), np.uint8)
        self._owners, self._within = np.array(owners, np.int64), within
        self._strangers: set[bytes] = set()
        """Pictures that met nothing, by hash: what is published is in `work` once more."""

    def flat(self) -> list[Selector]:
        """Return the pictures of which only exact copies can be found."""
        return [s for number, s in enumerate(self.selectors) if number not in set(self._owners.tolist())]

    def of(self, pictures: Sequence[bytes]) -> list[set[int]]:
        """Return, for each of n pictures, the numbers of the selectors that it is or looks like."""
        digests = [hashlib.sha256(p).digest() for p in pictures]
        found = [set(self._exact.get(digest.hex(), ())) for digest in digests]
        if len(self._bits):
            new = [row for row, digest in enumerate(digests) if digest not in self._strangers]
            seen = hashes(pictures[row] for row in new)
            near = (distances(seen.bits, self._bits) <= self._within) & (seen.quality >= CLEAR)[:, None]
            for place, variant in np.argwhere(near):
                found[new[place]].add(int(self._owners[variant]))
            if len(self._strangers) < _REMEMBERED:
                self._strangers.update(digests[row] for row in new if not found[row])
        return found
