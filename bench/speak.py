"""Makes the recordings of `curate.demo.private`: sentences with made-up values, spoken by Flite's voices.

Run as `python -m bench.speak` where apt is: it downloads Debian's flite, speaks candidates, keeps those in which a
listener (Whisper tiny.en) hears each value as it was said, and writes them to curate/demo/private/speech. A recording
that nobody can understand would prove nothing: the search must find each value before anything is redacted.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import soundfile

from curate.demo.debian import download, find, unpack
from curate.demo.private.planting import SPEECH
from curate.demo.private.reading import Reader
from curate.demo.private.search import Search
from curate.demo.private.values import Value, values

CACHE = Path("~/.cache/curate/bench/flite").expanduser()
VOICES = ("slt", "rms", "awb")
WANTED = 40
SPEAKABLE = re.compile(r"[a-z]+\.[a-z]+@[a-z.]+")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SENTENCES = (
    "Hello, this is {PERSON}. You can reach me on the phone at {PHONE_NUMBER}, thank you.",
    "This photograph was taken by {PERSON}. Please write an email to {EMAIL_ADDRESS} about it.",
    "Please call me back at {PHONE_NUMBER}. My name is {PERSON} and I live in Boston.",
)


def say(value: Value) -> str:
    """Spell a value as people say it."""
    if value.kind == "PHONE_NUMBER":
        digits = [DIGITS[int(d)] for d in value.text if d.isdigit()][-10:]
        return ", ".join(" ".join(group) for group in (digits[:3], digits[3:6], digits[6:]))
    spoken = {"@": " at ", ".": " dot ", "_": " underscore ", "-": " dash "}
    return "".join(spoken.get(c, c) for c in value.text) if value.kind == "EMAIL_ADDRESS" else value.text


def flite() -> list[str]:
    """Return the command, from Debian's package, unpacked without root."""
    if not (CACHE / "bin" / "flite").exists():
        for package in find(("flite", "libflite1"), print):
            unpack(download(package, CACHE / "debs", print), CACHE, "usr", ("", ".1", ".2"))
        (CACHE / "bin" / "flite").chmod(0o755)
    return [str(CACHE / "bin" / "flite")]


def speak(text: str, voice: str, file: Path) -> None:
    libraries = str(next((CACHE / "lib").glob("*-linux-gnu")))
    command = [*flite(), "-voice", voice, "-t", text, "-o", str(file)]
    subprocess.run(command, check=True, env=os.environ | {"LD_LIBRARY_PATH": libraries})


def candidates() -> Iterator[tuple[str, tuple[Value, ...], str]]:
    sources = {kind: values(kind, "speech") for kind in ("PERSON", "PHONE_NUMBER")}
    sources["EMAIL_ADDRESS"] = (v for v in values("EMAIL_ADDRESS", "speech") if SPEAKABLE.fullmatch(v.text))
    number = 0
    while True:
        sentence = SENTENCES[number % len(SENTENCES)]
        kinds = [kind for kind in sources if f"{{{kind}}}" in sentence]
        chosen = tuple(next(sources[kind]) for kind in kinds)
        yield (
            sentence.format(**{v.kind: say(v) for v in chosen}),
            chosen,
            VOICES[number // len(SENTENCES) % len(VOICES)],
        )
        number += 1


def main() -> None:
    flite()
    reader, kept = Reader(), []
    SPEECH.mkdir(parents=True, exist_ok=True)
    spoken = CACHE / "candidate.wav"
    tried = 0
    for text, chosen, voice in candidates():
        tried += 1
        speak(text, voice, spoken)
        sound, rate = soundfile.read(spoken, dtype="int16")
        file = SPEECH / f"{len(kept):02d}.ogg"
        soundfile.write(file, sound, rate, format="OGG", subtype="VORBIS")
        data = file.read_bytes()
        if set(Search(chosen, reader).heard(data)) != set(chosen):
            file.unlink()
            sys.stderr.write(f"{voice}: {text!r} is heard as {reader.read(data)!r}\n")
            continue
        kept.append({"file": file.name, "voice": voice, "text": text, "values": [vars(v) for v in chosen]})
        if len(kept) == WANTED:
            break
    (SPEECH / "speech.json").write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps({"kept": len(kept), "tried": tried}))


if __name__ == "__main__":
    main()
