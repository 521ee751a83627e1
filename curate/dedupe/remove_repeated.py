"""Lines and paragraphs that the corpus had before are taken out of their documents."""

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.dedupe.paragraphs import Unit, without
from curate.stage import FINDINGS, Edit, Edited, Editor


class RemoveRepeated(Edit):
    """Take the pieces that `repeated` numbers out of `text`; drop a document of which too little is left.

    The ledger is told of each document that something was taken out of, never what.
    """

    name: ClassVar[str] = "remove_repeated"
    reads: ClassVar[tuple[str, ...]] = ("text", "repeated")
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("text", pa.string()),)

    unit: Unit = Field("line", description="what `repeated` numbers: lines, or paragraphs between blank lines")
    min_chars_left: int = Field(
        1, ge=0, description="characters, white space at the ends aside; a document that is cut shorter is dropped"
    )

    def open(self) -> Editor:
        """Return a function that cuts documents."""
        return self._edited

    def _edited(self, table: pa.Table) -> Edited:
        cut = without(table["text"], table["repeated"], self.unit)
        changed = pa.array(cut.removed > 0)
        length = pc.utf8_length(pc.utf8_trim_whitespace(cut.text))
        short = pc.and_(changed, pc.fill_null(pc.less(length, self.min_chars_left), fill_value=False))
        dropped = pc.if_else(short, "too_little_left", pa.scalar(None, pa.string()))
        columns = pa.table([cut.text.cast(pa.string())], schema=pa.schema(self.outputs()))
        return Edited(columns, changed=changed, dropped=dropped, findings=self._findings(np.flatnonzero(cut.removed)))

    def _findings(self, rows: np.ndarray) -> pa.Table:
        told = {
            "row": pa.array(rows, pa.int32()),
            "reason": pa.repeat(f"repeated_{self.unit}s", len(rows)),
            "detector": pa.repeat(f"{self.name} {self.version}", len(rows)),
            "action": pa.repeat("remove", len(rows)),
        }
        return pa.table({f.name: told.get(f.name, pa.nulls(len(rows), f.type)) for f in FINDINGS}, schema=FINDINGS)
