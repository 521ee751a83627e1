"""Looking through the texts of a table, each in its language."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from filters.pii.detect import TextDetector
from filters.pii.spans import Span
from filters.pii.texts import MARK, Texts, gather


@dataclass(frozen=True)
class Looked:
    """What was found in a table of n rows."""

    texts: Texts
    found: list[list[Span]]
    """Of each of the distinct texts; they may overlap."""
    refused: pa.Array
    """string[n]: why a row was not looked through, null where it was."""


def look(detector: TextDetector, table: pa.Table, columns: Sequence[str], language_column: str | None) -> Looked:
    """Find personal data in the texts of a table, distinct ones once.

    Rows in a language that the detector refuses are left out, see its `refusal`.
    """
    if language_column is None:
        texts = gather(table, columns)
        return Looked(texts, list(detector.find(texts.distinct)), pa.nulls(len(table), pa.string()))
    languages = [(language or "").replace(MARK, "") or None for language in table[language_column].to_pylist()]
    reasons = {language: detector.refusal(language) for language in set(languages)}
    refused = pa.array([reasons[language] for language in languages], pa.string())
    spoken = pa.array([None if reasons[language] else language or "" for language in languages], pa.string())
    texts = gather(table, columns, spoken)
    given = [language or None for language in texts.languages or ()]
    return Looked(texts, list(detector.find(texts.distinct, given)), refused)
