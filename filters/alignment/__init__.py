"""How well a caption describes its picture."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.decode import decode
from curate.models import Model
from curate.stage import Filter, Scorer, threshold
from filters.alignment import clip, conse
from filters.alignment.towers import Towers

PICTURES = 4  # a batch; of the small model 4 ran at 32 pictures/s a core, 8 at 22


class Alignment(Filter):
    """Drop samples whose caption and picture are less alike than `at_least`.

    The score is the cosine between their embeddings, as in CLIPScore, Hessel et al. (2021), arXiv:2104.08718, without
    its factor and floor. It depends on the model: take a threshold from your own data. A picture that cannot be
    decoded or a caption without text has no score and fails. `conse-lite0-minilm` names a small classifier joined to a
    sentence encoder, which needs no download and is weaker.
    """

    name: ClassVar[str] = "alignment"
    reads: ClassVar[tuple[str, ...]] = ("image", "caption")
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("alignment", pa.float32()),)  # cosine, -1..1

    model: str = Field(
        "openai/clip-vit-large-patch14",
        description="hub id or folder of a CLIP or SigLIP checkpoint, or conse-lite0-minilm",
    )
    at_least: float | None = threshold(0.2, "cosine", ge=-1, le=1)

    def models(self) -> tuple[Model, ...]:
        """Name the checkpoint, or the two parts of the small model."""
        if self.model == conse.NAME:
            return (conse.CLASSIFIER, conse.SENTENCES)
        known = ("openai/clip-vit-large-patch14", conse.NAME)
        return (Model(self.model, licence="as its model card says", known=known),)

    def open(self) -> Scorer:
        """Load the model; return a function from pictures and captions to cosines, distinct captions once."""
        paths = [model.locate() for model in self.models()]
        towers = conse.load(*paths) if self.model == conse.NAME else clip.load(*paths)

        def score(table: pa.Table) -> list[pa.Array]:
            caption = pc.utf8_trim_whitespace(table["caption"]).combine_chunks()
            texts = pc.if_else(pc.equal(caption, ""), None, caption).dictionary_encode()
            return [pa.array(_compare(towers, table["image"], texts), pa.float32())]

        return score


def _compare(towers: Towers, images: pa.ChunkedArray, texts: pa.DictionaryArray) -> list[float | None]:
    """Return the cosine of each picture with its text; None where one is null or the picture cannot be decoded."""
    cosines: list[float | None] = [None] * len(images)
    rows = [row for row in range(len(images)) if images[row].is_valid and texts[row].is_valid]
    if not rows:
        return cosines
    vectors = towers.embed_texts(texts.dictionary.to_pylist())
    for start in range(0, len(rows), PICTURES):
        pictures = _prepare(towers, images, rows[start : start + PICTURES])
        if pictures:
            wanted = vectors[[texts.indices[row].as_py() for row in pictures]]
            alike = np.einsum("nd,nd->n", towers.embed_pictures(list(pictures.values())), wanted)
            for row, cosine in zip(pictures, alike, strict=True):
                cosines[row] = float(cosine)
    return cosines


def _prepare(towers: Towers, images: pa.ChunkedArray, rows: list[int]) -> dict[int, Any]:
    """Return what the picture tower eats for each row that can be decoded; one full picture is in memory at a time."""
    decoded = ((row, decode(images[row].as_py())) for row in rows)
    return {row: towers.prepare(picture) for row, picture in decoded if picture is not None}
