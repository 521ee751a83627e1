"""Take lines out of documents as C4 does."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.stage import Edit, Edited, Editor
from filters.text.c4 import LineRules, judge
from filters.text.memo import Read, measured


class C4Lines(LineRules, Edit):
    """Take out lines that end badly, are short, or speak of JavaScript, cookies or terms; drop what has no line left.

    Source: Raffel et al. (2020), arXiv:1910.10683, section 2.2, as `c4_quality` measures it: put this behind that. What
    is left stands without citation marks and white space at the ends of lines, one newline between lines.
    """

    name: ClassVar[str] = "c4_lines"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("text", pa.string()),)

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is edited."""
        return (self.column,)

    def outputs(self) -> tuple[pa.Field, ...]:
        """Return the column that is edited."""
        return (pa.field(self.column, pa.string()),)

    def open(self) -> Editor:
        """Return a function that edits texts; rows without a line left are dropped as `no_lines`, null stays null."""

        def edit(table: pa.Table) -> Edited:
            texts = table[self.column].combine_chunks()
            (kept,) = measured(self.cleaned(texts.fill_null("")), self._kept)
            written = pc.if_else(texts.is_valid(), pa.array(kept, pa.string()), pa.scalar(None, pa.string()))
            changed = pc.fill_null(pc.not_equal(written, texts), fill_value=False)
            dropped = pc.if_else(
                pc.fill_null(pc.equal(written, ""), fill_value=False), "no_lines", pa.scalar(None, pa.string())
            )
            return Edited(pa.table({self.column: written}), changed, dropped=dropped)

        return edit

    def _kept(self, read: Read) -> list[NDArray[Any]]:
        judged = judge(read, self)
        lines = judged.lines.where(judged.kept)
        points = read.text.points
        spans = zip(lines.starts.tolist(), lines.ends.tolist(), strict=True)
        pieces = [points[start:end].tobytes().decode("utf-32-le") for start, end in spans]
        texts = np.empty(read.text.rows, object)
        for row, (first, after) in enumerate(zip(lines.offsets[:-1], lines.offsets[1:], strict=True)):
            texts[row] = "\n".join(pieces[first:after])
        return [texts]
