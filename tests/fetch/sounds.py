"""Real sound files, made by an encoder, with the names and comments that recorders and players add."""

import io
import struct

import numpy as np
import soundfile

SECRET = b"Jane Roe, 12 Elm Street"
RATE = 16_000
WRITTEN = {
    "wav": ("WAV", "PCM_16"),
    "wav24": ("WAV", "PCM_24"),
    "wavfloat": ("WAV", "FLOAT"),
    "wavex": ("WAVEX", "PCM_16"),
    "wavulaw": ("WAV", "ULAW"),
    "flac": ("FLAC", "PCM_16"),
    "flac24": ("FLAC", "PCM_24"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def tone(seconds: float = 0.5, channels: int = 1, rate: int = RATE) -> np.ndarray:
    """Return a chirp, float64[n, channels]."""
    time = np.arange(int(seconds * rate)) / rate
    wave = 0.4 * np.sin(2 * np.pi * (300 + 400 * time) * time)
    return np.stack([wave * (1 - 0.3 * c) for c in range(channels)], axis=1)


def encoded(kind: str, samples: np.ndarray | None = None, rate: int = RATE, *, named: bool = False) -> bytes:
    """Return the file's bytes, perhaps with a name and a comment in the way of its format."""
    samples = tone() if samples is None else samples
    stream = io.BytesIO()
    container, coding = WRITTEN[kind]
    with soundfile.SoundFile(stream, "w", rate, samples.shape[1], coding, format=container) as sound:
        if named:
            sound.artist = sound.comment = SECRET.decode()
        sound.write(samples)
    return stream.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """Return the samples, float64[n, channels]."""
    return soundfile.read(io.BytesIO(data), always_2d=True)[0]


def riff_chunk(kind: bytes, payload: bytes) -> bytes:
    """Return one chunk."""
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def id3v2(payload: bytes) -> bytes:
    """Return a tag as it stands before an MP3."""
    length = len(payload)
    return b"ID3\x04\0\0" + bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0)) + payload


def dirty(kind: str) -> bytes:
    """Return a file with a secret wherever its format has room for one."""
    whole = encoded(kind, named=not kind.startswith(("mp3", "wav")))
    if kind.startswith("wav"):
        extra = [(b"LIST", b"INFOIART" + struct.pack("<I", len(SECRET)) + SECRET), (b"bext", SECRET), (b"id3 ", SECRET)]
        chunks = b"".join(riff_chunk(name, payload) for name, payload in extra)
        whole = whole[:12] + chunks + whole[12:] + chunks
        return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:] + SECRET
    if kind.startswith("flac"):
        block = bytes((2,)) + len(SECRET).to_bytes(3) + SECRET
        return id3v2(SECRET) + whole[:42] + block + whole[42:] + b"TAG" + SECRET.ljust(125, b"\0")
    if kind == "mp3":
        return id3v2(SECRET * 20) + whole + b"APETAGEX" + SECRET + b"TAG" + SECRET.ljust(125, b"\0")
    return whole + SECRET
