"""Sounds keep their samples and lose all else; what is hostile or broken costs one reason, never an exception."""

import hashlib
import random
import struct

import numpy as np
import pytest

from curate.fetch import ogg
from curate.fetch.flac import strip_flac
from curate.fetch.mp3 import strip_mp3
from curate.fetch.ogg import strip_ogg
from curate.fetch.sound import UNHEARABLE, Sound, check_sound, sniff_sound
from curate.fetch.wav import strip_wav
from tests.fetch.sounds import RATE, SECRET, WRITTEN, decoded, dirty, encoded, id3v2, riff_chunk, tone

FORMATS = {
    kind: {"opus": "ogg"}.get(kind, next((f for f in ("flac", "wav") if kind.startswith(f)), kind)) for kind in WRITTEN
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_samples_stay_and_names_go(kind):
    data = dirty(kind)
    assert SECRET in data
    sound = check_sound(data, 60)
    assert isinstance(sound, Sound)
    assert (sound.audio_format, sniff_sound(sound.audio)) == (FORMATS[kind], FORMATS[kind])
    assert SECRET not in sound.audio
    assert np.array_equal(decoded(sound.audio), decoded(encoded(kind)))
    assert sound.audio_seconds == pytest.approx(len(decoded(sound.audio)) / RATE, abs=1e-6)
    assert sound.row()["audio_sha256"] == hashlib.sha256(sound.audio).hexdigest()


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_is_stripped_stays_as_it_is(kind):
    once = check_sound(dirty(kind), 60)
    assert check_sound(once.audio, 60) == once


@pytest.mark.parametrize("kind", WRITTEN)
def test_two_channels_and_another_rate(kind):
    samples = tone(0.4, channels=2, rate=48_000)
    sound = check_sound(encoded(kind, samples, 48_000), 60)
    assert decoded(sound.audio).shape[1] == 2
    assert sound.audio_seconds == pytest.approx(0.4, abs=0.1)  # MP3 adds up to two frames of silence


@pytest.mark.parametrize("kind", WRITTEN)
def test_longer_than_allowed(kind):
    assert check_sound(encoded(kind, tone(2)), 1.5) == "sound_too_long"
    assert isinstance(check_sound(encoded(kind, tone(2)), 2.2), Sound)


@pytest.mark.parametrize("kind", WRITTEN)
def test_cut_anywhere_is_never_an_exception_nor_whole(kind):
    data = encoded(kind, tone(1))
    cuts = [check_sound(data[:length], 60) for length in range(0, len(data) - 1, max(1, len(data) // 40))]
    whole = [cut for cut in cuts if isinstance(cut, Sound)]
    assert {cut for cut in cuts if isinstance(cut, str)} <= UNHEARABLE
    # An MP3 that is cut between two frames cannot be told from a shorter one.
    assert whole == [] or kind == "mp3"


@pytest.mark.parametrize("kind", WRITTEN)
def test_damaged_bytes_are_never_an_exception(kind):
    dice = random.Random(kind)
    data = dirty(kind)
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(dice.choice((1, 3, 20))):
            broken[dice.randrange(min(len(broken), dice.choice((64, 4096, 1 << 20))))] = dice.randrange(256)
        done = check_sound(bytes(broken), 60)
        assert isinstance(done, Sound) or done in UNHEARABLE


def test_what_is_no_sound():
    for data in (b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(50), b"RIFF\0\0\0\0WEBP", b"ID3", id3v2(b"")[:9]):
        assert check_sound(data, 60) == "not_a_sound"
    assert check_sound(id3v2(b"x") + b"nothing that sounds" * 10, 60) == "broken_sound"
    assert check_sound(encoded("wav", tone()[:0]), 60) == "broken_sound"


def wav(layout, samples=bytes(320), length=None):
    body = b"WAVE" + riff_chunk(b"fmt ", layout) + b"data" + struct.pack("<I", length or len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_headers_of_wav():
    plain = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
    assert isinstance(check_sound(wav(plain), 60), Sound)
    for unknown in (0xFFFFFFFF, 0x7FFFF000):  # written into a pipe
        assert check_sound(wav(plain, length=unknown), 60).audio == strip_wav(wav(plain))
    assert SECRET not in strip_wav(wav(plain + SECRET))
    assert check_sound(wav(plain, length=10_000), 60) == "truncated_sound"
    for odd in (plain[:10], b"\x02" + plain[1:], plain[:12] + bytes(2) + plain[14:], b""):
        assert check_sound(wav(odd), 60) in {"broken_sound", "truncated_sound"}
    many = struct.pack("<HHIIHH", 1, 1000, 16000, 32_000_000, 2000, 16)
    assert check_sound(wav(many, bytes(8000)), 60) == "broken_sound"


def test_what_follows_the_last_frame_of_flac_is_refused():
    clean = encoded("flac")
    assert check_sound(clean + SECRET, 60) == "truncated_sound"
    assert strip_flac(clean).endswith(clean[-100:])


def test_the_headers_of_ogg_may_take_many_pages():
    import io

    import soundfile

    stream = io.BytesIO()
    with soundfile.SoundFile(stream, "w", RATE, 1, "VORBIS", format="OGG") as sound:
        sound.comment = SECRET.decode() * 9000  # 200 kB: four pages
        sound.write(tone())
    stripped = strip_ogg(stream.getvalue())
    assert len(stripped) < 20_000
    assert np.array_equal(decoded(stripped), decoded(stream.getvalue()))


def test_a_second_stream_and_a_wrong_checksum_are_refused():
    one = encoded("ogg")
    first = one[: one.index(b"OggS", 4)]
    for odd in (first + one, one[:300] + bytes([one[300] ^ 1]) + one[301:]):
        with pytest.raises(ValueError):
            strip_ogg(odd)


def test_junk_between_the_frames_of_mp3_goes():
    clean = encoded("mp3", tone(1))
    starts = [i for i in range(len(clean) - 1) if clean[i : i + 2] == clean[:2]]
    middle = starts[len(starts) // 2]
    assert strip_mp3(clean[:middle] + SECRET * 3 + clean[middle:]) == strip_mp3(clean)
    with pytest.raises(EOFError):
        strip_mp3(clean[:-5])


@pytest.mark.timeout(20)
def test_a_picture_among_the_comments_takes_time_in_proportion():
    plain = encoded("ogg")
    first, *pages = ogg._pages(plain)
    (comments, setup), used = ogg._packets(pages, 2)
    long = comments[:-1] + bytes(30_000_000) + b"\x01"
    kept = [first, *ogg._headers([long, setup], first.serial), *pages[used:]]
    data = b"".join(ogg._packed(page, number) for number, page in enumerate(kept))
    assert strip_ogg(data) == strip_ogg(plain)
