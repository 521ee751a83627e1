"""Sounds as samples: decoded, covered in places, written losslessly."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Cover = Literal["silence", "beep"]

_NARROW = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "ULAW", "ALAW"})
_WIDE = frozenset({"PCM_24", "PCM_32"})
_FLOAT = frozenset({"FLOAT", "DOUBLE"})
_FULL_16, _FULL_32 = 1 << 15, 1 << 31
_LOW_BYTE = 0xFF  # of 32 bits: FLAC, as libsndfile writes it, holds 24
_FADE_S = 0.005  # a cut without one clicks
_BEEP_HZ, _BEEP_LEVEL = 1000.0, 0.1  # of full scale: 20 dB below the loudest


@dataclass(frozen=True)
class Pcm:
    """A decoded sound."""

    samples: npt.NDArray[Any]
    """int16[n, channels], or int32[n, channels] with 24 bits used."""
    rate: int

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate

    def mono_wav(self) -> bytes:
        """Return the mean of the channels as a WAV file of 16 bits, for a listener."""
        import soundfile

        full = _FULL_16 if self.samples.dtype == np.int16 else _FULL_32
        mean = (self.samples.mean(axis=1, dtype=np.float64) / full).astype(np.float32)
        stream = io.BytesIO()
        soundfile.write(stream, mean, self.rate, "PCM_16", format="WAV")
        return stream.getvalue()

    def flac(self) -> bytes:
        """Return the samples as a FLAC file; decoding it gives them back to the last bit."""
        import soundfile

        stream = io.BytesIO()
        subtype = "PCM_16" if self.samples.dtype == np.int16 else "PCM_24"
        soundfile.write(stream, self.samples, self.rate, subtype, format="FLAC")
        return stream.getvalue()


def decode(data: bytes) -> Pcm | None:
    """Return a sound's samples, None where it cannot be decoded.

    Sounds of 16 bits and fewer, Vorbis, Opus and MP3 come out in 16 bits, all others in 24.
    """
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            samples = _read(sound)
            return Pcm(samples, sound.samplerate) if len(samples) else None
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError):
        return None


def _read(sound: Any) -> npt.NDArray[Any]:
    if sound.subtype in _NARROW:
        return sound.read(dtype="int16", always_2d=True)
    if sound.subtype in _WIDE:
        return sound.read(dtype="int32", always_2d=True) & ~np.int32(_LOW_BYTE)
    heard = np.nan_to_num(sound.read(dtype="float64", always_2d=True))
    if sound.subtype in _FLOAT:
        return np.clip(np.rint(heard * (1 << 23)), -(1 << 23), (1 << 23) - 1).astype(np.int32) << 8
    return np.clip(np.rint(heard * _FULL_16), -_FULL_16, _FULL_16 - 1).astype(np.int16)


def cover(sound: Pcm, stretches: Sequence[tuple[float, float]], by: Cover) -> Pcm:
    """Return a sound in which nothing is heard between the given seconds; every other sample is as it was.

    The first and last 5 ms of a stretch fade out and in, so no click marks its ends.
    """
    samples = sound.samples.copy()
    for start_s, stop_s in stretches:
        start, stop = max(0, round(start_s * sound.rate)), min(len(samples), round(stop_s * sound.rate))
        if start < stop:
            samples[start:stop] = _covered(samples[start:stop], sound.rate, by)
    return Pcm(samples, sound.rate)


def _covered(samples: npt.NDArray[Any], rate: int, by: Cover) -> npt.NDArray[Any]:
    count = len(samples)
    fade = min(round(_FADE_S * rate), count // 2)
    heard = np.zeros(count)
    heard[:fade] = 1 - (np.arange(fade) + 1) / (fade + 1)
    heard[count - fade :] = (np.arange(fade) + 1) / (fade + 1)
    other = np.zeros(count)
    if by == "beep":
        full = _FULL_16 if samples.dtype == np.int16 else _FULL_32
        other = np.sin(2 * np.pi * _BEEP_HZ * np.arange(count) / rate) * _BEEP_LEVEL * full * (1 - heard)
    mixed = np.rint(samples * heard[:, None] + other[:, None]).astype(samples.dtype)
    return mixed if mixed.dtype == np.int16 else mixed & ~np.int32(_LOW_BYTE)
