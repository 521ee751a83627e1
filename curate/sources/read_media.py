"""The stage that reads the pictures and sounds of a `media_folder`."""

from collections.abc import Callable
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from curate.fetch.picture import MOST_PIXELS, UNREADABLE, WRITES, check_picture, picture_row
from curate.fetch.sound import SOUND_WRITES, UNHEARABLE, check_sound
from curate.sources.files import file_system
from curate.sources.inside import read_inside
from curate.stage import Edit, Edited, Editor

_Outcome = dict[str, Any] | str | None
"""Columns of a picture or a sound, why it cannot be used, or None where a sample has none."""


class ReadMedia(Edit):
    """Read the pictures and sounds that `media_folder` listed; the checks of pictures are those of `fetch`.

    Sounds are bounded in bytes and length, decoded once from end to end, and lose their metadata: their coded samples
    stay as they are.
    """

    name: ClassVar[str] = "read_media"
    reads: ClassVar[tuple[str, ...]] = ("url", "audio_url")
    writes: ClassVar[tuple[pa.Field, ...]] = (*WRITES, *SOUND_WRITES)
    permanent: ClassVar[frozenset[str]] = UNREADABLE | UNHEARABLE | {"no_media", "outside_folder", "too_large"}

    path: str = Field(min_length=1, description="the folder that paths are relative to")
    max_bytes: int = Field(20_000_000, ge=1, description="bytes of a picture's file")
    max_pixels: int = Field(50_000_000, ge=1, le=MOST_PIXELS, description="width times height, checked before decoding")
    max_audio_bytes: int = Field(100_000_000, ge=1, description="bytes of a sound's file")
    max_audio_seconds: float = Field(3600.0, gt=0, description="length of a sound; decoding stops there")

    def open(self) -> Editor:
        """Return a function that reads a table's paths in order."""
        import soundfile  # noqa: F401 - a missing package is said before any file is read

        fs, root = file_system(self.path)

        def read(name: str | None, most: int, check: Callable[[bytes], _Outcome]) -> _Outcome:
            if name is None:
                return None
            data = read_inside(fs, root, name, most)
            return data if isinstance(data, str) else check(data)

        def sample(url: str | None, audio_url: str | None) -> dict[str, Any] | str:
            picture = None if url == audio_url else read(url, self.max_bytes, self._picture)
            return _joined(picture, read(audio_url, self.max_audio_bytes, self._sound))

        def edit(table: pa.Table) -> Edited:
            names = zip(table["url"].to_pylist(), table["audio_url"].to_pylist(), strict=True)
            return _edited([sample(*pair) for pair in names])

        return edit

    def _picture(self, data: bytes) -> _Outcome:
        picture = check_picture(data, self.max_pixels)
        return picture if isinstance(picture, str) else picture_row(picture)

    def _sound(self, data: bytes) -> _Outcome:
        sound = check_sound(data, self.max_audio_seconds)
        return sound if isinstance(sound, str) else sound.row()


def _joined(picture: _Outcome, sound: _Outcome) -> dict[str, Any] | str:
    """Return all columns of a sample; what is wrong with one of its files is wrong with the sample."""
    if isinstance(picture, str):
        return picture
    if isinstance(sound, str):
        return sound
    return (picture or {}) | (sound or {}) or "no_media"


def _edited(outcomes: list[dict[str, Any] | str]) -> Edited:
    rows = [{} if isinstance(outcome, str) else outcome for outcome in outcomes]
    schema = pa.schema(ReadMedia.writes)
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    failed = pa.array([outcome if isinstance(outcome, str) else None for outcome in outcomes], pa.string())
    return Edited(pa.table(columns, schema=schema), failed=failed)
