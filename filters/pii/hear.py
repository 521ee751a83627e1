"""What is said in a sound, word by word with times: Whisper on CTranslate2, made to give the same words every time.

Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision (arXiv 2212.04356); faster-whisper.
"""

import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from curate.errors import ModelError
from curate.models import Model
from filters.pii.sound import Pcm

WEIGHTS = ("model.bin", "config.json", "tokenizer.json")
_BEAM = 5
# Whisper's own sign of text that repeats itself (arXiv 2212.04356, 4.5): it answers with random sampling, which would
# give another transcript each time. Here the second hearing discourages repetition instead.
_REPEATS = 2.4
_DISCOURAGED = 1.1
# Silero's own threshold is 0.5. Its misses are sounds that nobody listens to, so it is asked to be easily convinced.
_VOICE = 0.2


@dataclass(frozen=True)
class Word:
    """A word of a transcript: characters start (in) to stop (out), and when it is said."""

    start: int
    stop: int
    start_s: float
    stop_s: float


@dataclass(frozen=True)
class Heard:
    """A transcript."""

    text: str
    words: tuple[Word, ...]
    unclear: tuple[Word, ...]
    """Stretches in which the transcript repeats itself, so that what is said there is not known."""


NOTHING = Heard("", (), ())


def versions() -> str:
    """Name the packages that hear, with their versions: they decide as much as the weights.

    Raises:
        ModelError: one is not installed.
    """
    try:
        return " / ".join(f"{name} {version(name)}" for name in ("faster-whisper", "ctranslate2"))
    except ImportError as error:
        raise ModelError(f"redact_speech needs {error.name}: pip install 'curate-multimodal[filters]'") from error


class Ear:
    """A speech recognizer, opened once in a worker."""

    def __init__(self, model: Model, language: str, threads: int, *, screen: bool) -> None:
        """Load the weights.

        Raises:
            ModelError: they are not here, are not Whisper's, or do not know the language.
        """
        versions()
        from faster_whisper import WhisperModel

        folder = model.locate()
        model.fingerprint()
        logging.getLogger("faster_whisper").setLevel(logging.WARNING)
        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"'{model.name}' is not a Whisper model of CTranslate2: {error}") from error
        if language not in self._model.supported_languages:
            known = ", ".join(self._model.supported_languages)
            raise ModelError(f"'{model.name}' does not know the language '{language}', only {known}")
        self._language = language
        self._screen = screen
        self.name = f"{versions()} / whisper {model.fingerprint()[:12]}"
        """What hears, with versions and the hash of its weights, for the ledger."""

    def hear(self, sound: Pcm) -> list[Heard]:
        """Return the transcript; where it repeats itself, a second one first. Empty where nobody speaks."""
        from faster_whisper.audio import decode_audio

        samples = decode_audio(io.BytesIO(sound.mono_wav()))
        if not len(samples) or (self._screen and not has_voice(samples)):
            return []
        first = self._transcribe(samples, 1.0)
        if not first.unclear:
            return [first]
        return [self._transcribe(samples, _DISCOURAGED), replace(first, unclear=())]

    def _transcribe(self, samples: Any, penalty: float) -> Heard:
        segments, _ = self._model.transcribe(
            samples,
            language=self._language,
            beam_size=_BEAM,
            temperature=0.0,
            repetition_penalty=penalty,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        return _heard(segments)


def _heard(segments: Iterable[Any]) -> Heard:
    text, words, unclear = "", [], []
    for segment in segments:
        start = len(text)
        for word in segment.words:
            said = word.word if text else word.word.lstrip()
            words.append(Word(len(text) + len(said) - len(said.lstrip()), len(text) + len(said), word.start, word.end))
            text += said
        if segment.compression_ratio > _REPEATS and len(text) > start:
            unclear.append(Word(start, len(text), segment.start, max(segment.end, words[-1].stop_s)))
    return Heard(text, tuple(words), tuple(unclear))


def has_voice(samples: Any) -> bool:
    """Tell whether Silero's detector hears a voice in float32[n] at 16 kHz."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    return bool(get_speech_timestamps(samples, VadOptions(threshold=_VOICE, min_speech_duration_ms=60)))
