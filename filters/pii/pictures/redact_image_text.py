"""Taking personal data out of the writing in pictures."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
from PIL import Image
from pydantic import Field

from curate.models import Model
from curate.sample import column
from curate.stage import Edit, Edited, Editor, place_in_picture
from filters.pii.detect import DetectsPii, TextDetector
from filters.pii.pictures.outlines import Paint, box_around, outline_of, paint
from filters.pii.pictures.passages import passages
from filters.pii.pictures.reading import MODEL, Line, Reader, ReadsPictures, open_reader, reader_version
from filters.pii.pictures.storing import decode, encode_lossless
from filters.pii.pictures.touched import Hit, Touched, edited
from filters.pii.spans import Span, merge_overlaps

WRITING = "WRITING"
"""The reason where all writing is covered, whatever it says."""


class RedactImageText(DetectsPii, ReadsPictures, Edit):
    """Paint over personal data in the writing of pictures.

    PP-OCRv4 (arXiv 2009.09941) finds and reads lines; the detectors of `redact_pii` see each line, all lines in reading
    order, and lines under one another as one, as they were read and with the blanks that reading lost. What is not
    read, or misread, is missed. A picture in which nothing is found keeps its bytes; one that is painted on is stored
    without loss, so that every other pixel stays as it was decoded. Of an animation the first frame is read, and only
    that stays where something is covered.
    """

    name: ClassVar[str] = "redact_image_text"
    reads: ClassVar[tuple[str, ...]] = ("image", "image_format", "sha256")
    writes: ClassVar[tuple[pa.Field, ...]] = (column("image"), column("image_format"), column("sha256"))
    permanent: ClassVar[frozenset[str]] = frozenset({"broken_image"})

    expand: float = Field(0.25, ge=0, le=2, description="line heights by which a cover is wider than what it covers")
    cover: Paint = Field("fill", description="what is seen instead: fill (the colour of the paper), black or blur")
    all_text: bool = Field(default=False, description="cover every line that is found, read or not, whatever it says")

    def inputs(self) -> tuple[str, ...]:
        """Name the picture, and the column that tells languages where there is one."""
        return (*self.reads, *self.language_inputs())

    def models(self) -> tuple[Model, ...]:
        """Name the reader, and the spaCy pipelines unless all writing is covered."""
        return (MODEL,) if self.all_text else (*super().models(), MODEL)

    def identity(self) -> str:
        """Hash the version of what reads with the rest."""
        return hashlib.sha256(f"{super().identity()} {reader_version()}".encode()).hexdigest()

    def of_text(self) -> DetectsPii:
        """Return what a text detector needs to know: the same settings without those of pictures."""
        return DetectsPii(**{name: getattr(self, name) for name in DetectsPii.model_fields})

    def open(self) -> Editor:
        """Load the reader and the detector; return a function that reads pictures one after another."""
        reader = open_reader(max(1, int(self.resources.cpus)), self.longest_side)
        detector = None if self.all_text else TextDetector(self.of_text())
        named = reader.name if detector is None else f"{reader.name} / {detector.name}"

        def edit(table: pa.Table) -> Edited:
            rows = table.select(self.inputs()).to_pylist()
            refused = [self._refusal(row, detector) for row in rows]
            kept = [why or self._touch(row, reader, detector) for row, why in zip(rows, refused, strict=True)]
            if self.unknown_language != "drop":
                return edited(kept, named)
            outcomes = [None if why else outcome for why, outcome in zip(refused, kept, strict=True)]
            done = edited(outcomes, named)
            return Edited(done.columns, done.changed, done.failed, pa.array(refused, pa.string()), done.findings)

        return edit

    def _refusal(self, row: dict[str, object], detector: TextDetector | None) -> str | None:
        """Return why a picture is not looked through: nothing finds names in its sample's language."""
        if detector is None or self.language_column is None or row["image"] is None:
            return None
        language = row[self.language_column]
        return detector.refusal(None if language is None else str(language))

    def _touch(self, row: dict[str, object], reader: Reader, detector: TextDetector | None) -> Touched | str | None:
        """Return what became of a picture, why it failed, or None where it stays as it is."""
        data = row["image"]
        if not isinstance(data, bytes):
            return None
        lines = reader.read(data)
        image = decode(data) if lines else None
        if lines is None or (lines and image is None):
            return "broken_image"
        languages = None if self.language_column is None else row[self.language_column]
        hits = _whole(lines) if detector is None else self._personal(lines, detector, languages)
        return self._painted(image, str(row["image_format"] or ""), hits) if image is not None and hits else None

    def _personal(self, lines: Sequence[Line], detector: TextDetector, language: object) -> list[tuple[Line, Span]]:
        """Return what is personal in each line, overlapping findings as one."""
        legible = [line for line in lines if line.text and line.score >= self.read_at_least]
        made = passages(legible)
        languages = None if self.language_column is None else [str(language) if language else None] * len(made)
        found: dict[int, list[Span]] = {}
        for passage, spans in zip(made, detector.find([p.text for p in made], languages), strict=True):
            for span in spans:
                for line, inside in passage.in_lines(span):
                    found.setdefault(line, []).append(inside)
        return [(legible[line], span) for line in sorted(found) for span in merge_overlaps(found[line])]

    def _painted(self, image: Image.Image, image_format: str, hits: Sequence[tuple[Line, Span]]) -> Touched:
        pixels = np.array(image)
        told = []
        for line, span in hits:
            outline = outline_of(line, span.start, span.stop, self.expand)
            paint(pixels, outline, self.cover, line.height)
            place = place_in_picture(*box_around(outline, image.size))
            told.append(Hit(span.entity, span.score, place, self.cover, span.recognizer))
        stored = Image.fromarray(pixels)
        stored.info = dict(image.info)
        return Touched(*encode_lossless(stored, image_format), tuple(told))


def _whole(lines: Sequence[Line]) -> list[tuple[Line, Span]]:
    return [(line, Span(0, len(line.edges) - 1, WRITING, line.score, "every line")) for line in lines]
