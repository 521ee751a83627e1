"""Covering a stretch of a sound leaves every other sample as it was, through the file that is written."""

import io

import numpy as np
import pytest
import soundfile

from filters.pii.sound import Pcm, cover, decode

RATE = 16_000
KINDS = {
    "wav16": ("WAV", "PCM_16", np.int16),
    "wav8": ("WAV", "PCM_U8", np.int16),
    "ulaw": ("WAV", "ULAW", np.int16),
    "wav24": ("WAV", "PCM_24", np.int32),
    "wav32": ("WAV", "PCM_32", np.int32),
    "float": ("WAV", "FLOAT", np.int32),
    "flac16": ("FLAC", "PCM_16", np.int16),
    "flac24": ("FLAC", "PCM_24", np.int32),
    "vorbis": ("OGG", "VORBIS", np.int16),
    "mp3": ("MP3", "MPEG_LAYER_III", np.int16),
}


def noise(seconds=1.0, channels=1):
    return np.random.default_rng(3).uniform(-0.5, 0.5, (int(seconds * RATE), channels))


def encoded(kind, samples):
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, KINDS[kind][1], format=KINDS[kind][0])
    return stream.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_not_covered_stays_to_the_last_bit(kind, channels):
    sound = decode(encoded(kind, noise(channels=channels)))
    assert sound.samples.dtype == KINDS[kind][2]
    done = decode(cover(sound, [(0.2, 0.5), (0.9, 7.0)], "silence").flac())
    assert (done.rate, done.samples.shape) == (RATE, sound.samples.shape)
    outside = np.ones(len(sound.samples), bool)
    outside[3200:8000] = outside[14_400:] = False
    assert np.array_equal(done.samples[outside], sound.samples[outside])
    assert not done.samples[3300:7900].any()
    assert not done.samples[14_500:-100].any()


@pytest.mark.parametrize("kind", ["wav16", "wav24", "flac24"])
def test_integers_are_decoded_as_they_are_stored(kind):
    steps = np.arange(-1000, 1000).reshape(-1, 1)
    whole = steps.astype(np.int16) if kind == "wav16" else (steps << 8).astype(np.int32)
    assert np.array_equal(decode(encoded(kind, whole)).samples, whole)
    assert np.array_equal(decode(Pcm(whole, RATE).flac()).samples, whole)


def test_floats_are_rounded_to_24_bits_and_clipped():
    samples = decode(encoded("float", np.array([[0.5], [1.5], [-1.5], [1e-9], [np.nan]]))).samples >> 8
    assert samples[:, 0].tolist() == [1 << 22, (1 << 23) - 1, -(1 << 23), 0, 0]


def test_edges_fade_and_never_grow():
    sound = Pcm(np.full((RATE, 1), 10_000, np.int16), RATE)
    done = cover(sound, [(0.25, 0.75)], "silence").samples[:, 0]
    inside = done[4000:12_000]
    assert (np.diff(inside[:80]) < 0).all()
    assert (np.diff(inside[-80:]) > 0).all()
    assert inside[80:-80].max() == 0
    assert (done[3999], done[12_000]) == (10_000, 10_000)


def test_a_beep_is_one_tone_and_holds_nothing_of_what_was_there():
    one, other = (cover(Pcm((s * 9000).astype(np.int16), RATE), [(0, 1)], "beep") for s in (noise(), noise()[::-1]))
    middle = slice(200, -200)
    assert np.array_equal(one.samples[middle], other.samples[middle])
    spectrum = np.abs(np.fft.rfft(one.samples[middle, 0]))
    assert np.argmax(spectrum) * RATE / len(one.samples[middle]) == pytest.approx(1000, abs=2)
    assert 2500 < one.samples[middle].max() < 3300


@pytest.mark.parametrize("stretch", [(0.5, 0.5), (0.5, 0.4), (2.0, 3.0), (0.50001, 0.50002)])
def test_stretches_of_nothing(stretch):
    sound = decode(encoded("wav16", noise()))
    assert np.array_equal(cover(sound, [stretch], "silence").samples, sound.samples)


def test_the_shortest_stretch():
    sound = decode(encoded("wav16", noise()))
    assert cover(sound, [(0.5, 0.5 + 1 / RATE)], "silence").samples[8000] == 0


def test_what_is_no_sound():
    for data in (b"", b"no sound", encoded("wav16", noise())[:30], encoded("wav16", noise()[:0])):
        assert decode(data) is None


def test_a_listener_gets_the_mean_of_the_channels():
    sound = decode(encoded("wav24", noise(channels=2)))
    heard, rate = soundfile.read(io.BytesIO(sound.mono_wav()))
    assert (rate, heard.ndim) == (RATE, 1)
    np.testing.assert_allclose(heard, noise(channels=2).mean(axis=1), atol=1e-4)
    assert sound.seconds == 1.0
