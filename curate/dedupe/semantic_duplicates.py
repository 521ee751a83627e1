"""Rows whose embeddings point nearly the same way: other words or other pixels, same content."""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.dedupe import kmeans
from curate.dedupe.cosine import Pairs, pairs_above
from curate.dedupe.directions import digests, lists, matrix, rounded
from curate.errors import InputError
from curate.reduce import Cells, Compare, Pairwise, Sketch, Sketcher
from curate.stage import threshold

ROWS_A_CLUSTER = 39
"""Rows of the sample for each cluster, at the least: with fewer, faiss's k-means warns that centres mean nothing."""
_ROUNDS = 20
_PAYLOAD_BYTES = 2 * 768
"""Of a vector of 768 numbers; widths from 384 to 1,280 are usual."""


class SemanticDuplicates(Compare):
    """Drop rows whose embedding has a cosine above 1 - `epsilon` with that of a row that stays.

    Source: SemDeDup, Abbas et al. (2023), arXiv:2303.09540: k-means over the embeddings, pairs within a cluster. Three
    differences. Without `clusters` every row is compared with every other, and none is missed; with them each row is
    compared in more than one. Which rows of a chain
    stay is `linkage`; in the paper a row goes that is near to any before it, whether or not that one stays. Who stays
    is `keep`; in the paper the row farthest from the centre.

    A row without an embedding, or with one of zeros alone, is nobody's duplicate.
    """

    name: ClassVar[str] = "semantic_duplicates"
    reason: ClassVar[str] = "semantic_duplicate"

    column: Literal["image_embedding", "text_embedding"] = Field(
        "image_embedding", description="embedding to compare: image_embedding or text_embedding"
    )
    epsilon: float = threshold(0.05, "rows are duplicates above a cosine of 1 - epsilon", ge=0, lt=1)
    clusters: int | None = Field(
        None, ge=1, description="compare within this many clusters only, and lose pairs between them; null: compare all"
    )
    cells_searched: int = Field(
        2, ge=1, le=16, description="clusters that each row is compared in, the nearest ones: fewer pairs are lost"
    )
    sample: int = Field(100_000, ge=ROWS_A_CLUSTER, description="embeddings that the clusters are learned from")

    @model_validator(mode="after")
    def _sample_is_large_enough(self) -> "SemanticDuplicates":
        needed = ROWS_A_CLUSTER * (self.clusters or 0)
        if self.sample < needed:
            raise ValueError(f"{self.clusters} clusters cannot be learned from a `sample` of less than {needed}")
        return self

    def inputs(self) -> tuple[str, ...]:
        """Name the embedding, and the columns that scope and survivor go by."""
        return (self.column, *(name for name in super().inputs() if name != self.column))

    def open(self) -> Sketcher:
        """Return a function that rounds embeddings to whole numbers and hashes them."""
        return lambda table: _sketch(table[self.column], self.column)

    def comparing(self) -> Pairwise:
        """Compare each row with every other, or with those of its cluster."""
        return Pairwise(payload_bytes=_PAYLOAD_BYTES, find=self._find, cells=self._cells())

    def notes(self) -> tuple[str, ...]:
        """Say that the time grows with the square of the rows, or what clusters lose."""
        if self.clusters is None:
            return (
                "every row is compared with every other: about an hour of one core for a million rows, 100 for ten",
            )
        return (
            f"each row is compared in {self.cells_searched} of {self.clusters} clusters: other pairs are not found",
        )

    def _find(self, left: pa.Array, right: pa.Array) -> Pairs:
        one, other = matrix(left, self.column), matrix(right, self.column)
        _same_width(self.column, one, other)
        return pairs_above(one, None if left is right else other, 1 - self.epsilon, thin=self.linkage == "single")

    def _cells(self) -> Cells | None:
        if self.clusters is None:
            return None
        return Cells(self.sample, self._learn, self._assign, min(self.cells_searched, self.clusters))

    def _learn(self, payloads: pa.Array) -> bytes:
        """Learn centres, fewer than asked for where the whole corpus is too small for them."""
        vectors = matrix(payloads, self.column)
        clusters = max(1, min(self.clusters or 1, len(vectors) // ROWS_A_CLUSTER))
        centres = kmeans.learn(vectors, clusters, _ROUNDS) if len(vectors) else vectors
        return np.array(centres.shape, "<u4").tobytes() + centres.astype("<i2").tobytes()

    def _assign(self, learned: bytes, payloads: pa.Array) -> NDArray[np.uint64]:
        shape = np.frombuffer(learned, "<u4", count=2)
        centres = np.frombuffer(learned, "<i2", offset=8).reshape(shape)
        vectors = matrix(payloads, self.column)
        _same_width(self.column, centres, vectors)
        return kmeans.closest(centres, vectors, min(self.cells_searched, len(centres))).astype(np.uint64)


def _sketch(column: pa.ChunkedArray, name: str) -> Sketch:
    given = column.combine_chunks()
    directions, pointing = rounded(matrix(given.drop_null(), name))
    directions = directions[pointing]
    # Where each row stands among the directions, null where it has none.
    compared = given.is_valid().to_numpy(zero_copy_only=False)
    compared[compared] = pointing
    places = pa.array(np.cumsum(compared) - 1, mask=~compared)
    node, check = np.zeros(len(given), np.uint64), np.zeros(len(given), np.uint64)
    node[compared], check[compared] = digests(directions)
    return Sketch(node=node, check=check, apart=~compared, payload=lists(directions).take(places))


def _same_width(column: str, left: NDArray[np.generic], right: NDArray[np.generic]) -> None:
    if len(left) and len(right) and left.shape[1] != right.shape[1]:
        raise InputError(
            f"{column}: vectors of {left.shape[1]} and of {right.shape[1]} numbers cannot be compared. "
            "Embed all rows with one model"
        )
