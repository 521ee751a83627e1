"""Lines or paragraphs that an earlier document of the corpus has too: all but the first are taken out."""

from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from curate.dedupe.paragraphs import Unit, split
from curate.dedupe.remove_repeated import RemoveRepeated
from curate.reduce import Recurring, Sketch, Sketcher
from curate.stage import threshold


class RepeatedParagraphs(Recurring):
    """Take out of each document the paragraphs, or lines, that came earlier in the corpus; keep the first of each.

    Source: Wenzek et al. (2020), arXiv:1911.00359, section 2.1. There the hashes of a few shards at a time are
    compared; here those of the whole corpus.
    """

    name: ClassVar[str] = "repeated_paragraphs"
    reason: ClassVar[str] = "too_little_left"
    reads: ClassVar[tuple[str, ...]] = ("text",)

    unit: Unit = Field("paragraph", description="what is compared: paragraphs between blank lines, or lines")
    min_chars: int = Field(20, ge=0, description="characters; shorter pieces, such as headings, are left alone")
    min_chars_left: int = threshold(1, "characters; a document that is cut shorter is dropped", ge=0)

    def open(self) -> Sketcher:
        """Return a function that hashes the pieces of documents; a null has none."""
        return self._sketch

    def _sketch(self, table: pa.Table) -> Sketch:
        pieces = split(table["text"], self.unit, self.min_chars)
        return Sketch(pieces.node, pieces.check, row=pieces.row, piece=pieces.piece)

    def then(self) -> RemoveRepeated:
        """Return the edit that takes out what was found."""
        return RemoveRepeated(unit=self.unit, min_chars_left=self.min_chars_left)
