"""How well a caption describes its picture."""

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.models import Model
from curate.stage import Filter, Scorer, threshold
from filters.alignment import clip, conse
from filters.alignment.pictures import decode
from filters.alignment.towers import Towers, Vectors

PICTURES = 8  # a batch: 8 ran at 30 pictures/s a core, 32 at 19


class Alignment(Filter):
    """Drop samples whose caption and picture are less alike than `at_least`.

    The score is the cosine between their embeddings, as in CLIPScore, Hessel et al. (2021), arXiv:2104.08718, without
    its factor and floor. It depends on the model: 0.2 keeps most true pairs of CLIP ViT-L/14. A picture that cannot be
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
        return (Model(self.model, licence="as its model card says"),)

    def open(self) -> Scorer:
        """Load the model; return a function from pictures and captions to cosines, distinct captions once."""
        paths = [model.locate() for model in self.models()]
        towers = conse.load(*paths) if self.model == conse.NAME else clip.load(*paths)

        def score(table: pa.Table) -> list[pa.Array]:
            caption = pc.utf8_trim_whitespace(table["caption"]).combine_chunks()
            text = pc.if_else(pc.equal(caption, ""), None, caption).dictionary_encode()
            rows = np.flatnonzero(pc.and_(text.is_valid(), table["image"].is_valid()).to_numpy())
            cosines: list[float | None] = [None] * len(table)
            if len(rows):
                vectors = towers.embed_texts(text.dictionary.to_pylist())
                wanted = vectors[text.indices.take(pa.array(rows)).to_numpy()]
                for row, cosine in zip(rows, _compare(towers, table["image"].take(pa.array(rows)), wanted), strict=True):
                    cosines[row] = cosine
            return [pa.array(cosines, pa.float32())]

        return score


def _compare(towers: Towers, images: pa.ChunkedArray, texts: Vectors) -> list[float | None]:
    """Return the cosine of each picture with its text vector; None where the picture cannot be decoded."""
    cosines: list[float | None] = [None] * len(images)
    waiting: list[int] = []
    prepared = []
    for row in range(len(images)):
        picture = decode(images[row].as_py())
        if picture is not None:
            waiting.append(row)
            prepared.append(towers.prepare(picture))
        if prepared and (len(prepared) == PICTURES or row == len(images) - 1):
            alike = np.einsum("nd,nd->n", towers.embed_pictures(prepared), texts[waiting])
            for done, cosine in zip(waiting, alike, strict=True):
                cosines[done] = float(cosine)
            waiting, prepared = [], []
    return cosines
