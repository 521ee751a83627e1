"""Telling pictures of identity documents, payment cards and CVs."""

import io
from collections import defaultdict
from typing import ClassVar

import pyarrow as pa
from PIL import Image

from curate.decode import FORMATS
from curate.models import Model
from curate.stage import Filter, Scorer, threshold
from filters.pii.pictures.document_cues import cues
from filters.pii.pictures.reading import MODEL, Reader, ReadsPictures, open_reader, reader_version


class IdentityDocuments(ReadsPictures, Filter):
    """Drop pictures of passports, identity cards, driving licences, payment cards and CVs.

    A judge by rules over what PP-OCRv4 reads: machine-readable zones with their check digits (ICAO Doc 9303), names of
    documents and labels of fields in seven languages, card numbers with theirs (ISO/IEC 7812-1), headings of a CV, and
    the sides of a card. Each cue removes a share of the remaining doubt; the kind with the least doubt names the
    picture. What cannot be read is not told: documents that are small, blurred, written by hand or in other alphabets.
    """

    name: ClassVar[str] = "identity_documents"
    reads: ClassVar[tuple[str, ...]] = ("image",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("identity_document", pa.float32()),  # 0 nothing speaks for one, to 1
        pa.field("identity_document_kind", pa.string()),  # of the best kind; null where nothing speaks for any
    )

    at_most: float | None = threshold(0.5, "score of the likeliest kind", ge=0, le=1)

    def models(self) -> tuple[Model, ...]:
        """Name the reader."""
        return (MODEL,)

    def identity(self) -> str:
        """Hash the reader's version with the rest."""
        return f"{super().identity()} {reader_version()}"

    def open(self) -> Scorer:
        """Load the reader; return a function that judges pictures one after another."""
        reader = open_reader(max(1, int(self.resources.cpus)), self.longest_side)

        def score(table: pa.Table) -> list[pa.Array]:
            judged = [self._judge(reader, data) for data in table["image"].to_pylist()]
            scores, kinds = zip(*judged, strict=True) if judged else ((), ())
            return [pa.array(scores, pa.float32()), pa.array(kinds, pa.string())]

        return score

    def _judge(self, reader: Reader, data: bytes | None) -> tuple[float | None, str | None]:
        """Return score and kind: 0 where a sample has no picture, None where it cannot be decoded."""
        if data is None:
            return 0.0, None
        lines = reader.read(data)
        if lines is None:
            return None, None
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
        legible = [line.text for line in lines if line.score >= self.read_at_least]
        doubt: dict[str, float] = defaultdict(lambda: 1.0)
        for cue in cues(legible, width, height):
            doubt[cue.kind] *= 1 - cue.weight
        if not doubt:
            return 0.0, None
        kind = min(doubt, key=lambda name: (doubt[name], name))
        return round(1 - doubt[kind], 4), kind
