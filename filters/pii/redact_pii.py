"""Taking personal data out of captions, documents, transcripts and conversations."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar, get_args

import numpy as np
import pyarrow as pa
from pydantic import Field, ValidationInfo, field_validator

from curate.errors import nearest
from curate.pii_match import pii_secret, secret_fingerprint
from curate.sample import column
from curate.stage import FINDINGS, Edit, Edited, Editor, place_in_text
from filters.pii.actions import DEFAULT, Action, Hit, Writer
from filters.pii.detect import DetectsPii, Entity, TextDetector
from filters.pii.looking import look
from filters.pii.texts import Column, Place, named_once


class RedactPii(DetectsPii, Edit):
    """Replace personal data in text: `Ask <PERSON> at <EMAIL_ADDRESS>`, or as `actions` say for each kind.

    Source: Microsoft Presidio, with the pattern recognizers of each language, a spaCy pipeline for names, and the
    recognizers of `filters/pii/recognizers`. Findings that overlap are replaced as one, under the kind of the most
    certain. LOCATION, ORGANIZATION, DATE_TIME and URL are off unless asked for: in captions they describe the picture
    more often than a person.
    """

    name: ClassVar[str] = "redact_pii"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (column("caption"),)

    columns: tuple[Column, ...] = Field(
        ("caption",), min_length=1, description="texts to redact: caption, text, transcript, conversations (every turn)"
    )
    actions: dict[str, Action] = Field(
        {DEFAULT: "placeholder"},
        description="what to do by kind of data: placeholder, mask, pseudonym, remove or drop; `default` for the rest",
    )
    match: bool = Field(
        default=False,
        description="name each value in the ledger by a keyed hash, so that a person can be found and erased",
    )

    @field_validator("columns")
    @classmethod
    def _columns_once(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        return named_once(columns)

    @field_validator("actions")
    @classmethod
    def _known_kinds(cls, actions: dict[str, Action], info: ValidationInfo) -> dict[str, Action]:
        entities = info.data.get("entities", get_args(Entity))
        for kind in actions:
            if kind not in (DEFAULT, *get_args(Entity)):
                raise ValueError(f"no kind of personal data is named '{kind}'.{nearest(kind, get_args(Entity))}")
            if kind not in (DEFAULT, *entities):
                raise ValueError(f"'{kind}' is not among the `entities` that this stage looks for")
        # In one order, so that two spellings of the same actions are the same stage.
        chosen: dict[str, Action] = {DEFAULT: "placeholder", **actions}
        return dict(sorted(chosen.items()))

    def inputs(self) -> tuple[str, ...]:
        """Name the columns to redact, and the one that tells languages."""
        return (*self.columns, *(name for name in self.language_inputs() if name not in self.columns))

    def outputs(self) -> tuple[pa.Field, ...]:
        """Return the same columns."""
        return tuple(column(name) for name in self.columns)

    def identity(self) -> str:
        """Hash the fingerprint of the secret with the rest where what is written depends on it.

        Raises:
            SecretError: the secret is needed, and CURATE_PII_SECRET is missing or too short.
        """
        secret = self._secret()
        if secret is None:
            return super().identity()
        return hashlib.sha256(f"{super().identity()} {secret_fingerprint(secret)}".encode()).hexdigest()

    def open(self) -> Editor:
        """Load spaCy and Presidio; return a function that redacts the columns, distinct texts once.

        Raises:
            SecretError: the secret is needed, and CURATE_PII_SECRET is missing or too short.
        """
        secret = self._secret()
        writer = Writer(self.actions, secret, matching=self.match)
        detector = TextDetector(self)

        def edit(table: pa.Table) -> Edited:
            looked = look(detector, table, self.columns, self.language_column)
            texts = looked.texts
            written = [writer.write(*each) for each in zip(texts.distinct, looked.found, strict=True)]
            hits = [(place, hit) for place in texts.places() for hit in written[place.text].hits]
            changed = np.zeros(len(table), bool)
            changed[[place.row for place, _ in hits]] = True
            return Edited(
                columns=pa.table(texts.written(table, [w.text for w in written])),
                changed=pa.array(changed),
                failed=looked.refused if self.unknown_language == "fail" else None,
                dropped=_dropped(looked.refused if self.unknown_language == "drop" else None, len(table), hits),
                findings=_findings(hits, detector.name),
            )

        return edit

    def _secret(self) -> bytes | None:
        return pii_secret() if self.match or "pseudonym" in self.actions.values() else None


def _dropped(refused: pa.Array | None, rows: int, hits: Sequence[tuple[Place, Hit]]) -> pa.Array:
    """Return string[rows]: why a row was refused, or the first kind of data that drops it; null where it stays."""
    reasons: list[str | None] = [None] * rows if refused is None else refused.to_pylist()
    for place, hit in hits:
        if hit.action == "drop" and reasons[place.row] is None:
            reasons[place.row] = hit.span.entity
    return pa.array(reasons, pa.string())


def _findings(hits: Sequence[tuple[Place, Hit]], detector: str) -> pa.Table:
    """Return FINDINGS rows, those of a row together."""
    ordered = sorted(hits, key=lambda found: found[0].row)
    return pa.table(
        {
            "row": [place.row for place, _ in ordered],
            "reason": [hit.span.entity for _, hit in ordered],
            "score": [hit.span.score for _, hit in ordered],
            "detector": [f"{detector} / {hit.span.recognizer}" for _, hit in ordered],
            "place": [place_in_text(place.column, *hit.place, place.turn) for place, hit in ordered],
            "action": [hit.action for _, hit in ordered],
            "match": pa.array([hit.match for _, hit in ordered], pa.string()),
        },
        schema=FINDINGS,
    )
