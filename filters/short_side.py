"""The shorter side of a picture."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curate.stage import Filter, Scorer, threshold


class ShortSide(Filter):
    """Drop pictures whose shorter side is under `at_least` pixels."""

    name: ClassVar[str] = "short_side"
    reads: ClassVar[tuple[str, ...]] = ("width", "height")
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("short_side", pa.int32()),)  # pixels

    at_least: int | None = threshold(64, "pixels", ge=1)
    at_most: int | None = threshold(None, "pixels", ge=1)

    def open(self) -> Scorer:
        """Return a function that takes the smaller of width and height."""
        return lambda table: [pc.min_element_wise(table["width"], table["height"], skip_nulls=False)]
