"""The source `image_folder`: pictures in a folder, their captions in `.txt` files beside them."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from curate.errors import InputError, StorageError
from curate.fetch.picture import MOST_PIXELS
from curate.sample import column
from curate.sources.files import InputFile, file_system, input_file, snapshot
from curate.sources.read_images import ReadImages, path_fault
from curate.sources.rows import BATCH_ROWS, SCHEMA
from curate.stage import Edit, Source

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_CAPTION = ".txt"
_MOST_CAPTION_BYTES = 1 << 20


class ImageFolder(Source):
    """List the pictures below a folder, sorted by path; the caption of `a/b.jpg` is the text of `a/b.txt`.

    Folders that are links are not entered, and names that begin with a dot are left out.
    """

    name: ClassVar[str] = "image_folder"
    writes: ClassVar[tuple[pa.Field, ...]] = (column("url"), column("caption"))
    permanent: ClassVar[frozenset[str]] = frozenset({"bad_caption", "bad_name", "outside_folder"})

    path: str = Field(min_length=1, description="the folder; local or any fsspec URL")
    max_bytes: int = Field(20_000_000, ge=1, description="bytes of a picture's file")
    max_pixels: int = Field(50_000_000, ge=1, le=MOST_PIXELS, description="width times height, checked before decoding")

    def scan(self) -> Iterator[pa.Table]:
        """Yield path below the folder, as `url`, and caption.

        Raises:
            InputError: there is no such folder, or no picture in it.
            StorageError: the disk or the store refuses.
        """
        waiting: list[tuple[str | None, str | None, str | None]] = []
        found = 0
        root = file_system(self.path)[1]
        for picture, caption in _pictures(self.path):
            waiting.append(_row(root, picture, caption))
            found += 1
            if len(waiting) == BATCH_ROWS:
                yield _table(waiting)
                waiting = []
        if not found:
            raise InputError(f"{self.path}: no picture below this folder: no name ends in {', '.join(_PICTURES)}")
        if waiting:
            yield _table(waiting)

    def snapshot(self) -> str:
        """Hash names, sizes and versions of pictures and captions."""
        return snapshot(file for pair in _pictures(self.path) for file in pair if file is not None)

    def key_columns(self) -> tuple[str, ...]:
        """A sample is a path with its caption."""
        return ("url", "caption")

    def load(self) -> Edit:
        """Return the stage that reads and checks the pictures."""
        return ReadImages(path=self.path, max_bytes=self.max_bytes, max_pixels=self.max_pixels)


def _pictures(url: str) -> Iterator[tuple[InputFile, InputFile | None]]:
    """Yield pictures in the order of their paths, each with its caption's file. Memory holds one folder's names.

    Raises:
        InputError: there is no such folder.
        StorageError: the disk or the store refuses.
    """
    fs, root = file_system(url)
    try:
        if not fs.isdir(root):
            raise InputError(f"{url}: no such folder")
        yield from _below(fs, root, "")
    except OSError as error:
        raise StorageError(f"{url}: {error.strerror or error}") from error


def _below(fs: Any, folder: str, prefix: str) -> Iterator[tuple[InputFile, InputFile | None]]:
    found = {info["name"].rstrip("/").rpartition("/")[2]: info for info in fs.ls(folder, detail=True)}
    for name in sorted(found):
        info = found[name]
        if name.startswith("."):
            continue
        if info["type"] == "directory":
            yield from _below(fs, info["name"], f"{prefix}{name}/")
        elif name.lower().endswith(_PICTURES):
            caption = name.rpartition(".")[0] + _CAPTION
            beside = input_file(fs, found[caption], prefix + caption) if caption in found else None
            yield input_file(fs, info, prefix + name), beside


def _row(root: str, picture: InputFile, caption: InputFile | None) -> tuple[str | None, str | None, str | None]:
    """Return url, caption and why the row is of no use, if it is not."""
    try:
        picture.name.encode()
    except UnicodeEncodeError:
        return None, None, "bad_name"
    if caption is None:
        return picture.name, None, None
    fault = path_fault(caption.fs, root, caption.path)
    if fault is not None:
        return picture.name, None, fault
    if caption.size > _MOST_CAPTION_BYTES:
        return picture.name, None, "bad_caption"
    try:
        with caption.open() as stream:
            return picture.name, stream.read(_MOST_CAPTION_BYTES).decode("utf-8-sig").strip(), None
    except UnicodeDecodeError:
        return picture.name, None, "bad_caption"


def _table(waiting: list[tuple[str | None, str | None, str | None]]) -> pa.Table:
    columns = zip(*waiting, strict=True)
    return pa.table([pa.array(values, pa.string()) for values in columns], SCHEMA)
