"""How much personal data a text holds."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator

from curate.stage import Filter, Scorer, threshold
from filters.pii.detect import DetectsPii, TextDetector
from filters.pii.looking import look
from filters.pii.settings import UnknownLanguage
from filters.pii.spans import merge_overlaps
from filters.pii.texts import Column, named_once

CHARACTERS = 1000


class PiiDensity(DetectsPii, Filter):
    """Findings of personal data in 1,000 characters of a sample's text, all its columns together.

    Overlapping findings count once; what an earlier redaction wrote is no finding, so this stage stands before
    `redact_pii`. Lists of people and contact pages are dense; a short caption with one name in it is too, so take the
    threshold from data of the same kind. A sample without a character has density 0; one in a language that cannot be
    looked through is unmeasured.
    """

    name: ClassVar[str] = "pii_density"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("pii_density", pa.float32()),)  # findings / 1,000 characters

    columns: tuple[Column, ...] = Field(
        ("caption",),
        min_length=1,
        description="texts to measure: caption, text, transcript, conversations (every turn)",
    )
    at_most: float | None = threshold(None, "highest number of findings in 1,000 characters that stays", ge=0)

    @field_validator("columns")
    @classmethod
    def _columns_once(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        return named_once(columns)

    @field_validator("unknown_language")
    @classmethod
    def _measured_or_failed(cls, policy: UnknownLanguage) -> UnknownLanguage:
        if policy == "drop":
            raise ValueError("a filter drops by what it measures: take fail, patterns_only or treat_as_default")
        return policy

    def inputs(self) -> tuple[str, ...]:
        """Name the columns to measure, and the one that tells languages."""
        return (*self.columns, *(name for name in self.language_inputs() if name not in self.columns))

    def open(self) -> Scorer:
        """Load spaCy and Presidio; return a function that measures rows, distinct texts once."""
        detector = TextDetector(self)

        def score(table: pa.Table) -> Sequence[pa.Array]:
            looked = look(detector, table, self.columns, self.language_column)
            texts = looked.texts
            counts = np.array([len(merge_overlaps(found)) for found in looked.found], float)
            lengths = np.array([len(text) for text in texts.distinct], float)
            findings, characters = np.zeros(len(table)), np.zeros(len(table))
            for piece in texts.pieces:
                here = pc.is_valid(piece.texts).to_numpy(zero_copy_only=False)
                which = piece.texts.indices.drop_null().to_numpy(zero_copy_only=False)
                np.add.at(findings, piece.rows[here], counts[which])
                np.add.at(characters, piece.rows[here], lengths[which])
            refused = pc.is_valid(looked.refused).to_numpy(zero_copy_only=False)
            return (pa.array(findings * CHARACTERS / np.maximum(characters, 1), pa.float32(), mask=refused),)

        return score
