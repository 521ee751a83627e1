"""Identity documents, payment cards and CVs, rendered, beside rendered look-alikes and real photographs."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from PIL import Image

from bench.comparison import Comparison
from bench.privacy.documents import documents, look_alikes
from bench.privacy.photographs import with_faces, without_faces
from filters.pii.pictures.identity_documents import IdentityDocuments


def packed(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def dropped(stage: IdentityDocuments, pictures: Sequence[np.ndarray]) -> list[tuple[bool, str | None, float]]:
    table = pa.table({"image": pa.array([packed(p) for p in pictures], pa.large_binary())})
    scores = pa.table(list(stage.open()(table)), schema=pa.schema(stage.writes))
    reasons = stage.decide(scores).to_pylist()
    kinds, values = scores["identity_document_kind"].to_pylist(), scores["identity_document"].to_pylist()
    return [(reason is not None, kind, value) for reason, kind, value in zip(reasons, kinds, values, strict=True)]


def comparisons(quick: bool) -> Iterator[Comparison]:
    stage = IdentityDocuments()
    each = 1 if quick else 6
    made = documents(each)
    judged = dropped(stage, [d.pixels for d in made])
    hits, right = Counter(), Counter()
    for document, (drop, kind, _) in zip(made, judged, strict=True):
        hits[document.what] += drop
        right[document.what] += kind == document.kind
    for what in hits:
        yield Comparison(f"documents: dropped, {what}", hits[what] / each, None, "share", "all")
        yield Comparison(f"documents: kind told right, {what}", right[what] / each, None, "share", "all")
    other = look_alikes(1 if quick else 3)
    wrong = Counter()
    for document, (drop, _, _) in zip(other, dropped(stage, [d.pixels for d in other]), strict=True):
        wrong[document.what] += drop
    for what, count in wrong.items():
        yield Comparison(f"documents: dropped wrongly, {what}", count / (1 if quick else 3), None, "share", "none")
    photographs = [p.pixels for p in ([] if quick else [*with_faces(), *without_faces()])]
    if photographs:
        alarms = sum(drop for drop, _, _ in dropped(stage, photographs))
        yield Comparison(
            f"documents: dropped wrongly, {len(photographs)} photographs", float(alarms), None, "pictures", "none"
        )
