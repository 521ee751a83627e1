"""The stage that reads the pictures of an `image_folder`."""

from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from curate.fetch.picture import MOST_PIXELS, UNREADABLE, WRITES, Picture, check_picture, edited
from curate.sources.files import file_system
from curate.sources.inside import read_inside
from curate.stage import Edit, Editor


class ReadImages(Edit):
    """Read the pictures that `image_folder` listed; the checks are those of `fetch`."""

    name: ClassVar[str] = "read_images"
    reads: ClassVar[tuple[str, ...]] = ("url",)
    writes: ClassVar[tuple[pa.Field, ...]] = WRITES
    permanent: ClassVar[frozenset[str]] = UNREADABLE | {"outside_folder", "too_large"}

    path: str = Field(min_length=1, description="the folder that paths are relative to")
    max_bytes: int = Field(20_000_000, ge=1, description="bytes of a picture's file")
    max_pixels: int = Field(50_000_000, ge=1, le=MOST_PIXELS, description="width times height, checked before decoding")

    def open(self) -> Editor:
        """Return a function that reads a table's paths in order."""
        fs, root = file_system(self.path)
        return lambda table: edited([self._picture(fs, root, name) for name in table["url"].to_pylist()])

    def _picture(self, fs: Any, root: str, name: str | None) -> Picture | str:
        data = read_inside(fs, root, name, self.max_bytes)
        return data if isinstance(data, str) else check_picture(data, self.max_pixels)
