"""What an edit of pictures says of each row: new bytes where it touched a picture, and what it covered there."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from curate.sample import column
from curate.stage import FINDINGS, Edited

WRITES = (column("image"), column("image_format"), column("sha256"))


@dataclass(frozen=True)
class Hit:
    """One covered box, as the ledger has it."""

    reason: str
    score: float
    place: str
    action: str
    recognizer: str | None = None
    """Of a text detector, behind the name of what read the picture."""


@dataclass(frozen=True)
class Touched:
    """A picture that was changed."""

    image: bytes
    image_format: str
    hits: tuple[Hit, ...]


def edited(outcomes: Sequence[Touched | str | None], detector: str) -> Edited:
    """Return what became of n pictures: changed, failed (a reason) or left as they are (None)."""
    touched = [o if isinstance(o, Touched) else None for o in outcomes]
    rows = [(row, hit) for row, one in enumerate(touched) if one for hit in one.hits]
    return Edited(
        columns=pa.table(
            [
                pa.array([o and o.image for o in touched], pa.large_binary()),
                pa.array([o and o.image_format for o in touched], pa.string()),
                pa.array([o and hashlib.sha256(o.image).hexdigest() for o in touched], pa.string()),
            ],
            schema=pa.schema(WRITES),
        ),
        changed=pa.array([o is not None for o in touched], pa.bool_()),
        failed=pa.array([o if isinstance(o, str) else None for o in outcomes], pa.string()),
        findings=pa.table(
            {
                "row": [row for row, _ in rows],
                "reason": [hit.reason for _, hit in rows],
                "score": [round(hit.score, 4) for _, hit in rows],
                "detector": [" / ".join(filter(None, (detector, hit.recognizer))) for _, hit in rows],
                "place": [hit.place for _, hit in rows],
                "action": [hit.action for _, hit in rows],
                "match": [None] * len(rows),
            },
            schema=FINDINGS,
        ),
    )
