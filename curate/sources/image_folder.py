"""The source `image_folder`: pictures in a folder, their captions in `.txt` files beside them."""

from typing import ClassVar

import pyarrow as pa

from curate.sample import column
from curate.sources.beside import PICTURES, Beside, is_name, read_caption
from curate.sources.folder import Folder, Row
from curate.sources.read_images import ReadImages
from curate.stage import Edit


class ImageFolder(Folder):
    """List the pictures below a folder, sorted by path; the caption of `a/b.jpg` is the text of `a/b.txt`.

    Folders that are links are not entered, and names that begin with a dot are left out.
    """

    name: ClassVar[str] = "image_folder"
    writes: ClassVar[tuple[pa.Field, ...]] = (column("url"), column("caption"))
    permanent: ClassVar[frozenset[str]] = frozenset({"bad_caption", "bad_name", "outside_folder"})
    suffixes: ClassVar[tuple[str, ...]] = PICTURES
    together: ClassVar[bool] = False
    lacks: ClassVar[str] = "picture"

    def row(self, root: str, sample: Beside) -> Row:
        """Return path below the folder, as `url`, caption and fault."""
        (picture,) = sample.media
        if not is_name(picture.name):
            return None, None, "bad_name"
        return picture.name, *read_caption(root, sample.caption)

    def key_columns(self) -> tuple[str, ...]:
        """A sample is a path with its caption."""
        return ("url", "caption")

    def load(self) -> Edit:
        """Return the stage that reads and checks the pictures."""
        return ReadImages(path=self.path, max_bytes=self.max_bytes, max_pixels=self.max_pixels)
