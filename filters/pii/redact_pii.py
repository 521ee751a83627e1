"""Taking personal data out of captions."""

from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from curate.sample import column
from curate.stage import FINDINGS, Edit, Edited, Editor, place_in_text
from filters.pii.detect import DetectsPii, TextDetector
from filters.pii.spans import Span, merge_overlaps, replace


class RedactPii(DetectsPii, Edit):
    """Replace personal data in captions by its kind: `Ask <PERSON> at <EMAIL_ADDRESS>`.

    Source: Microsoft Presidio, with its English pattern recognizers and a spaCy pipeline for names. Findings that
    overlap are replaced as one, under the kind of the most certain. LOCATION, ORGANIZATION, DATE_TIME and URL are off
    unless asked for: in captions they describe the picture more often than a person. Street addresses are missed.
    """

    name: ClassVar[str] = "redact_pii"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (column("caption"),)

    def open(self) -> Editor:
        """Load spaCy and Presidio; return a function that redacts captions, distinct ones once."""
        detector = TextDetector(self)

        def edit(table: pa.Table) -> Edited:
            encoded = table["caption"].combine_chunks().dictionary_encode()
            texts = encoded.dictionary.to_pylist()
            spans = [merge_overlaps(found) for found in detector.find(texts)]
            clean = pa.array([replace(text, found) for text, found in zip(texts, spans, strict=True)], pa.string())
            touched = pa.array([bool(found) for found in spans], pa.bool_())
            return Edited(
                columns=pa.table({"caption": clean.take(encoded.indices)}),
                changed=pc.fill_null(touched.take(encoded.indices), fill_value=False),
                findings=_findings(encoded.indices.to_pylist(), spans, detector.name),
            )

        return edit


def _findings(indices: Sequence[int | None], spans: Sequence[list[Span]], detector: str) -> pa.Table:
    """Return FINDINGS rows; indices say which distinct text each row of the table holds."""
    places = [_places(found) for found in spans]
    rows = [
        (row, span, place)
        for row, index in enumerate(indices)
        if index is not None
        for span, place in zip(spans[index], places[index], strict=True)
    ]
    return pa.table(
        {
            "row": [row for row, _, _ in rows],
            "reason": [span.entity for _, span, _ in rows],
            "score": [span.score for _, span, _ in rows],
            "detector": [f"{detector} / {span.recognizer}" for _, span, _ in rows],
            "place": [place for _, _, place in rows],
            "action": ["placeholder"] * len(rows),
            "match": pa.nulls(len(rows), pa.string()),
        },
        schema=FINDINGS,
    )


def _places(spans: Sequence[Span]) -> list[str]:
    """Say where the placeholders of a text stand in what `replace` wrote."""
    places, shift = [], 0
    for span in spans:
        width = len(span.entity) + 2
        places.append(place_in_text("caption", span.start + shift, span.start + shift + width))
        shift += width - (span.stop - span.start)
    return places
