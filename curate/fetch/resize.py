"""Resizing and re-encoding by img2dataset's `Resizer`, for a recipe that asks for it."""

import io
import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from curate.errors import RecipeError
from curate.fetch.picture import Picture

_MOST_PNG_QUALITY = 9
# Resizer points the process's stdout at /dev/null while it works: two at once would leave it there for good.
_ONE_AT_A_TIME = threading.Lock()


class Resize(BaseModel):
    """Settings of img2dataset's `Resizer`, under its own terms. An Exif orientation is lost, as it is there."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    size: int = Field(256, ge=1, le=8192, description="pixels of the side that the mode speaks of")
    mode: Literal["keep_ratio", "center_crop", "border", "keep_ratio_largest"] = Field(
        "keep_ratio",
        description="keep_ratio, center_crop: the shorter side; the others: the longer; crop and border give squares",
    )
    only_if_bigger: bool = Field(default=False, description="leave pictures alone that are not bigger than `size`")
    format: Literal["jpg", "png", "webp"] = Field("jpg", description="what all pictures are encoded as")
    quality: int = Field(95, ge=0, le=100, description="0..100; for png the compression level, 0..9")

    @model_validator(mode="after")
    def _png_level(self) -> Self:
        if self.format == "png" and self.quality > _MOST_PNG_QUALITY:
            raise ValueError(f"quality: for png a compression level from 0 to {_MOST_PNG_QUALITY}, got {self.quality}")
        return self

    def open(self, max_pixels: int) -> Callable[[Picture], Picture | str]:
        """Return a function from a checked picture to the resized one, or to the reason why it has none.

        Raises:
            RecipeError: img2dataset is not installed.
        """
        resizer = self._resizer()

        def resized(picture: Picture) -> Picture | str:
            if self._scale(picture) ** 2 * picture.width * picture.height > max_pixels:
                return "too_many_pixels"
            with _ONE_AT_A_TIME:
                image, width, height, *_, fault = resizer(io.BytesIO(picture.image))
            if fault is not None:
                return "resize_failed"
            return replace(picture, image=image, image_format=self.format, width=width, height=height)

        return resized

    def _scale(self, picture: Picture) -> float:
        """Return by how much sides grow before a crop; a strip 1 pixel high grows to millions of pixels long."""
        side = (min if self.mode in {"keep_ratio", "center_crop"} else max)(picture.width, picture.height)
        return 1.0 if self.only_if_bigger and side <= self.size else self.size / side

    def _resizer(self) -> Callable[..., tuple[bytes, int, int, int, int, str | None]]:
        os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or it asks the network for its newest version
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # img2dataset imports deprecated modules of the standard library
            try:
                from img2dataset.resizer import Resizer
            except ImportError as error:
                raise RecipeError(
                    [f"fetch: resize needs img2dataset ({error}). Install it: pip install 'curate-multimodal[filters]'"]
                ) from error
        return Resizer(
            image_size=self.size,
            resize_mode=self.mode,
            resize_only_if_bigger=self.only_if_bigger,
            encode_quality=self.quality,
            encode_format=self.format,
        )
