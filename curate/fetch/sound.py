"""Checks of a sound's bytes, the same wherever they come from: format, length, wholeness, metadata."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curate.fetch.flac import strip_flac
from curate.fetch.id3 import after_tags
from curate.fetch.mp3 import strip_mp3
from curate.fetch.ogg import strip_ogg
from curate.fetch.wav import strip_wav
from curate.sample import column

SOUND_WRITES = tuple(column(name) for name in ("audio", "audio_format", "audio_seconds", "audio_sha256"))
UNHEARABLE = frozenset({"not_a_sound", "truncated_sound", "broken_sound", "sound_too_long"})

_STRIPPERS: dict[str, Callable[[bytes], bytes]] = {
    "wav": strip_wav,
    "flac": strip_flac,
    "ogg": strip_ogg,
    "mp3": strip_mp3,
}
_NAMED = {"wav": ("WAV", "WAVEX"), "flac": ("FLAC",), "ogg": ("OGG",), "mp3": ("MP3", "MPEG")}
"""What libsndfile calls the formats."""
_BLOCK = 65_536  # frames decoded at a time
_MOST_CHANNELS, _MOST_RATE = 8, 384_000


@dataclass(frozen=True)
class Sound:
    """A checked sound: what a sample stores."""

    audio: bytes
    audio_format: str
    audio_seconds: float

    def row(self) -> dict[str, Any]:
        """Return the columns of SOUND_WRITES."""
        return vars(self) | {"audio_sha256": hashlib.sha256(self.audio).hexdigest()}


def sniff_sound(data: bytes) -> str | None:
    """Return wav, flac, ogg or mp3 by the first bytes, whatever a name claims; None for all else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"OggS"):
        return "ogg"
    try:
        place = after_tags(data)
    except EOFError:
        return None
    if data.startswith(b"fLaC", place):
        return "flac"
    return "mp3" if place or data[:2] in _MP3_STARTS else None


_MP3_STARTS = tuple(bytes((0xFF, second)) for second in (0xE2, 0xE3, 0xF2, 0xF3, 0xFA, 0xFB))


def check_sound(data: bytes, max_seconds: float) -> Sound | str:
    """Return the sound without metadata, samples untouched, or the reason why it cannot be used.

    It is decoded once from end to end, in bounded memory and for no more than `max_seconds`.

    Raises:
        ImportError: the package soundfile is not installed.
    """
    audio_format = sniff_sound(data)
    if audio_format is None:
        return "not_a_sound"
    try:
        stripped = _STRIPPERS[audio_format](data)
    except EOFError:
        return "truncated_sound"
    except ValueError:
        return "broken_sound"
    seconds = _decoded_seconds(stripped, audio_format, max_seconds)
    return seconds if isinstance(seconds, str) else Sound(stripped, audio_format, seconds)


def _decoded_seconds(data: bytes, audio_format: str, max_seconds: float) -> float | str:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            if sound.format not in _NAMED[audio_format] or not _is_sane(sound):
                return "broken_sound"
            stated, most = sound.frames, int(max_seconds * sound.samplerate)
            frames = 0
            while frames <= most and (block := len(sound.read(_BLOCK, dtype="float32", always_2d=True))):
                frames += block
            rate = sound.samplerate
    except (soundfile.LibsndfileError, RuntimeError, ValueError, MemoryError):
        return "broken_sound"
    if frames > most:
        return "sound_too_long"
    if audio_format != "mp3" and frames < stated:  # an MP3 states no length, libsndfile guesses it
        return "truncated_sound"
    return frames / rate if frames else "broken_sound"


def _is_sane(sound: Any) -> bool:
    return 0 < sound.channels <= _MOST_CHANNELS and 0 < sound.samplerate <= _MOST_RATE
