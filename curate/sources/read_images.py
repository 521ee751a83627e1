"""The stage that reads the pictures of an `image_folder`."""

import os
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from curate.fetch.picture import MOST_PIXELS, UNREADABLE, WRITES, Picture, check_picture, edited
from curate.sources.files import file_system
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
        return lambda table: edited([self._read(fs, root, name) for name in table["url"].to_pylist()])

    def _read(self, fs: Any, root: str, name: str | None) -> Picture | str:
        if not name or ".." in name.split("/") or name.startswith("/") or "\0" in name:
            return "outside_folder"
        path = f"{root.rstrip('/')}/{name}"
        fault = path_fault(fs, root, path)
        if fault is not None:
            return fault
        try:
            with fs.open(path, "rb") as stream:
                data = stream.read(self.max_bytes + 1)
        except FileNotFoundError:
            return "missing"
        except OSError:
            return "unreadable"
        return "too_large" if len(data) > self.max_bytes else check_picture(data, self.max_pixels)


def path_fault(fs: Any, root: str, path: str) -> str | None:
    """Return why a file of this machine may not be read: links lead out of `root`, or it is no plain file.

    Object stores have no links, so there is nothing to find.
    """
    if "file" not in fs.protocol:
        return None
    top, real = os.path.realpath(root), os.path.realpath(path)
    if os.path.commonpath((top, real)) != top:
        return "outside_folder"
    if not os.path.exists(real):  # noqa: PTH110 - pathlib's own follows again, and raises for odd names
        return "missing"
    return None if os.path.isfile(real) else "unreadable"  # noqa: PTH113 - see above; a pipe would wait for ever
