"""Writing what a picture shows as a vector."""

from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from curate.decode import decode
from curate.models import Model
from curate.sample import column
from curate.stage import Edit, Edited, Editor
from filters.embeddings import pictures
from filters.embeddings.vectors import NO_DIRECTION, Vector, embedded

_CLIP = "openai/clip-vit-large-patch14"
_BROKEN = "broken_image"


class EmbedImages(Edit):
    """Write `image_embedding`, the direction of a picture encoder's vector, for rows that have a picture.

    Of an animation the first frame is seen, transparency as white. `efficientnet-lite0` names a small classifier's
    features, which need no download and are weaker.
    """

    name: ClassVar[str] = "embed_images"
    reads: ClassVar[tuple[str, ...]] = ("image",)
    writes: ClassVar[tuple[pa.Field, ...]] = (column("image_embedding"),)
    permanent: ClassVar[frozenset[str]] = frozenset({_BROKEN, NO_DIRECTION})

    model: str = Field(
        _CLIP, description="hub id or folder of a CLIP, SigLIP or vision checkpoint, or efficientnet-lite0"
    )

    def models(self) -> tuple[Model, ...]:
        """Name the encoder."""
        if self.model == pictures.SMALL:
            return (pictures.CLASSIFIER,)
        return (Model(self.model, licence="as its model card says", known=(_CLIP, pictures.SMALL)),)

    def open(self) -> Editor:
        """Load the encoder; return a function that embeds pictures, one decoded at a time."""
        folder = self.models()[0].locate()
        embed = pictures.load_small(folder) if self.model == pictures.SMALL else pictures.load(folder)

        def see(data: bytes | None) -> Vector | str | None:
            if data is None:
                return None
            image = decode(data)
            return _BROKEN if image is None else embed(image)

        def edit(table: pa.Table) -> Edited:
            return embedded("image_embedding", [see(image.as_py()) for image in table["image"]])

        return edit
