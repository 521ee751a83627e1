"""How elongated a picture is."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curate.stage import Filter, Scorer, threshold


class AspectRatio(Filter):
    """Drop pictures whose longer side is more than `at_most` times the shorter one.

    Source: the image rule of DataComp's basic filtering, Gadre et al. (2023), arXiv:2304.14108, which asks for a
    ratio below 3.
    """

    name: ClassVar[str] = "aspect_ratio"
    reads: ClassVar[tuple[str, ...]] = ("width", "height")
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("aspect_ratio", pa.float32()),)  # longer / shorter, >= 1

    at_most: float | None = threshold(3.0, "longer side over shorter side", ge=1)

    def open(self) -> Scorer:
        """Return a function that divides the longer side by the shorter; null where a side is null or not positive."""
        return lambda table: [_elongation(table["width"], table["height"])]


def _elongation(width: pa.ChunkedArray, height: pa.ChunkedArray) -> pa.Array:
    shorter = pc.min_element_wise(width, height, skip_nulls=False)
    longer = pc.max_element_wise(width, height, skip_nulls=False).cast(pa.float64())
    positive = pc.if_else(pc.greater(shorter, 0), shorter, None).cast(pa.float64())
    return pc.divide(longer, positive).cast(pa.float32())
