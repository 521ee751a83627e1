"""A Reduce over captions whose pairs a test can find by brute force."""

import hashlib
from functools import partial
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
    search: Literal["banded", "unverified", "pairwise", "cells", "two_cells"] = "banded"
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
        if self.search == "pairwise":
            return Pairwise(40, self._find)
        searched = 2 if self.search == "two_cells" else 1
        return Pairwise(40, self._find, Cells(10, _learn, partial(_cells, searched=searched), searched))

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


def cells_of(words: list[int], searched: int = 1) -> list[int]:
    """Return cells by the number of words; the second is the first again where it is of no border."""
    return [(len(words) + more) // 3 for more in range(searched)]


def _learn(_: pa.Array) -> bytes:
    return b"8"


def _cells(_: bytes, payload: pa.Array, searched: int) -> np.ndarray:
    cells = [cells_of(words, searched) for words in payload.to_pylist()]
    return np.array(cells, np.uint64).reshape(-1, searched)


class LineParity(Filter):
    """Measures whether a caption has an odd number of characters."""

    name: ClassVar[str] = "line_parity"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("parity", pa.int32()),)

    def open(self) -> Scorer:
        return lambda table: [pa.array([len(c or "") % 2 for c in table["caption"].to_pylist()], pa.int32())]
