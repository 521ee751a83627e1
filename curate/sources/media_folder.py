"""The source `media_folder`: pictures and sounds in a folder, with captions in `.txt` files of the same name."""

from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from curate.sample import column
from curate.sources.beside import PICTURES, SOUNDS, Beside, is_name, read_caption
from curate.sources.folder import Folder, Row
from curate.sources.read_media import ReadMedia
from curate.stage import Edit


class MediaFolder(Folder):
    """List samples below a folder, sorted by path: `a/b.jpg`, `a/b.flac` and the caption `a/b.txt` are one.

    Each has a picture, a sound or both; a caption is there or not. Folders that are links are not entered, and names
    that begin with a dot are left out.
    """

    name: ClassVar[str] = "media_folder"
    writes: ClassVar[tuple[pa.Field, ...]] = (column("url"), column("audio_url"), column("caption"))
    permanent: ClassVar[frozenset[str]] = frozenset(
        {"bad_caption", "bad_name", "outside_folder", "two_pictures", "two_sounds"}
    )
    suffixes: ClassVar[tuple[str, ...]] = (*PICTURES, *SOUNDS)
    together: ClassVar[bool] = True
    lacks: ClassVar[str] = "picture or sound"

    max_audio_bytes: int = Field(100_000_000, ge=1, description="bytes of a sound's file")
    max_audio_seconds: float = Field(3600.0, gt=0, description="length of a sound; decoding stops there")

    def row(self, root: str, sample: Beside) -> Row:
        """Return path of the picture as `url`, or else of the sound, which is `audio_url` too; caption and fault."""
        if not all(is_name(file.name) for file in sample.media):
            return None, None, None, "bad_name"
        pictures, sounds = (
            [file.name for file in sample.media if file.name.lower().endswith(kind)] for kind in (PICTURES, SOUNDS)
        )
        url, audio_url = next(iter(pictures), None), next(iter(sounds), None)
        caption, fault = read_caption(root, sample.caption)
        ambiguous = "two_pictures" if len(pictures) > 1 else "two_sounds" if len(sounds) > 1 else None
        return url or audio_url, audio_url, caption, ambiguous or fault

    def key_columns(self) -> tuple[str, ...]:
        """A sample is the paths of its media with its caption."""
        return ("url", "audio_url", "caption")

    def load(self) -> Edit:
        """Return the stage that reads and checks pictures and sounds."""
        return ReadMedia(**self.model_dump(exclude={"partition_size", "partition_bytes", "max_failed_fraction"}))
