"""A Reduce over captions whose pairs a test can find by brute force."""

import hashlib
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from curate.reduce import Banded, Cells, Compare, Pairwise, Sketch, Sketcher
from curate.stage import Filter, Scorer, threshold

BANDS = 4


def words_of(caption: str) -> list[int]:
    """Return the distinct words of a caption as numbers, sorted."""
    return sorted({_number(word) >> 32 for word in caption.split()})


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())


def jaccard(left: list[int], right: list[int]) -> float:
    """Return the share of words that two captions have in common; two without words have all."""
    either = set(left) | set(right)
    return len(set(left) & set(right)) / len(either) if either else 1.0


class AlikeCaptions(Compare):
    """Joins captions that have at least `at_least` of their words in common; a null one is nobody's duplicate."""

    name: ClassVar[str] = "alike_captions"
    reason: ClassVar[str] = "alike"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    search: Literal["banded", "unverified", "pairwise", "cells"] = "banded"
    at_least: float = threshold(0.5, "Jaccard similarity of the words")

    def open(self) -> Sketcher:
        def sketch(table: pa.Table) -> Sketch:
            captions = table["caption"].to_pylist()
            words = [words_of(c or "") for c in captions]
            said = [" ".join(map(str, w)) for w in words]
            return Sketch(
                node=np.array([_number(s) for s in said], np.uint64),
                check=np.array([_number("check " + s) for s in said], np.uint64),
                apart=np.array([c is None for c in captions], bool),
                bands=np.array([bands_of(w) for w in words], np.uint64).reshape(-1, BANDS) if self._banded else None,
                payload=pa.array([None if c is None else w for c, w in zip(captions, words, strict=True)],
                                 pa.list_(pa.uint32())),
            )  # fmt: skip

        return sketch

    @property
    def _banded(self) -> bool:
        return self.search in {"banded", "unverified"}

    def comparing(self) -> Banded | Pairwise:
        if self._banded:
            return Banded(BANDS, 40, self._alike if self.search == "banded" else None)
        cells = Cells(sample=10, learn=lambda _: b"8", assign=_cell) if self.search == "cells" else None
        return Pairwise(40, self._find, cells)

    def _alike(self, left: pa.Array, right: pa.Array) -> np.ndarray:
        pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
        return np.array([jaccard(a, b) >= self.at_least for a, b in pairs], bool)

    def _find(self, left: pa.Array, right: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        found = [
            (i, j)
            for i, a in enumerate(left.to_pylist())
            for j, b in enumerate(right.to_pylist())
            if jaccard(a, b) >= self.at_least
        ]
        return np.array([i for i, _ in found], np.int64), np.array([j for _, j in found], np.int64)


def bands_of(words: list[int]) -> list[int]:
    """Return the smallest word under each of some orders: captions with one in common are compared."""
    return [min((_number(f"{band} {w}") for w in words), default=0) ^ band for band in range(BANDS)]


def _cell(_: bytes, payload: pa.Array) -> np.ndarray:
    """Return a cell by the number of words."""
    return np.array([len(words) // 3 for words in payload.to_pylist()], np.uint64)


class LineParity(Filter):
    """Measures whether a caption has an odd number of characters."""

    name: ClassVar[str] = "line_parity"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("parity", pa.int32()),)

    def open(self) -> Scorer:
        return lambda table: [pa.array([len(c or "") % 2 for c in table["caption"].to_pylist()], pa.int32())]
