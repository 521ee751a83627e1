"""Writing the folder: sixty samples of captions, pictures and speech that hold five hundred values between them."""

import json
import random
import shutil
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from curate.demo.private.cards import card
from curate.demo.private.values import Value, values

SPEECH = Path(__file__).parent / "speech"
SENTENCES = {
    "PERSON": ("The picture was taken by {} in the spring.", "My old teacher {} keeps this on his desk."),
    "EMAIL_ADDRESS": ("For a large print of this write to {} any time.", "Orders for the picture go to {} only."),
    "PHONE_NUMBER": ("If you have seen it, please call me at {} today.", "Call {} and ask whether it is still there."),
    "STREET_ADDRESS": ("It hangs in the house at {} since last year.", "Please send the frame to {} by mail."),
    "CREDIT_CARD": (
        "This was paid for with the credit card {} last week.",
        "The receipt says that card {} was charged.",
    ),
    "IBAN_CODE": ("Donations for the keeper go to the bank account {} please.",),
    "IP_ADDRESS": ("It was uploaded to the gallery from the address {} at night.",),
    "MAC_ADDRESS": ("The camera in the yard has the hardware address {} on its label.",),
    "API_KEY": ("The script that fetched it has the token {} in its first line.",),
}
IN_CAPTIONS = {
    "PERSON": 50, "EMAIL_ADDRESS": 55, "PHONE_NUMBER": 55, "STREET_ADDRESS": 30, "CREDIT_CARD": 10, "IBAN_CODE": 15,
    "IP_ADDRESS": 25, "MAC_ADDRESS": 10, "API_KEY": 10,
}  # fmt: skip
IN_PICTURES = {"PERSON": 40, "EMAIL_ADDRESS": 40, "PHONE_NUMBER": 40, "STREET_ADDRESS": 40}
SCENES = (
    "A red tractor in a field", "Two zebras beside a pond", "A plate with pancakes", "A steam train at the station",
    "A sailing boat at sunset", "A bowl of ripe oranges", "A yellow bus in the rain", "A cat asleep on a chair",
)  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """A recording and the values that it says."""

    file: Path
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Sample:
    """What is written under one file stem."""

    caption: str
    picture: bytes | None
    speech: Path | None
    values: tuple[tuple[str, Value], ...]
    """(where: caption, picture or speech; what)."""


def recordings() -> list[Spoken]:
    """Return the recordings that come with the package; README.md beside them says what they are."""
    listed = json.loads((SPEECH / "speech.json").read_text())
    return [Spoken(SPEECH / one["file"], tuple(Value(**value) for value in one["values"])) for one in listed]


def samples(share: float = 1.0) -> list[Sample]:
    """Return the samples, or the first `share` of the values of each kind and place.

    A value stands in one sample only: where a picture or a recording has it, captions do not.
    """
    spoken = recordings()[: _part(len(recordings()), share)]
    taken = {v.text for one in spoken for v in one.values}
    pictured = {kind: _others(kind, "picture", _part(n, share), taken) for kind, n in IN_PICTURES.items()}
    taken |= {v.text for found in pictured.values() for v in found}
    written = [v for kind, n in IN_CAPTIONS.items() for v in _others(kind, "caption", _part(n, share), taken)]
    random.Random("captions").shuffle(written)
    sheets = list(zip(*pictured.values(), strict=True))
    count = max(2, _part(60, share))
    first_heard = count - len(spoken)
    made = []
    for i in range(count):
        mine = written[i::count]
        sheet = sheets[i] if i < len(sheets) else ()
        heard = spoken[i - first_heard] if i >= first_heard else None
        places = [("caption", v) for v in mine] + [("picture", v) for v in sheet]
        places += [("speech", v) for v in (heard.values if heard else ())]
        made.append(
            Sample(_caption(mine, i), card(sheet, i) if sheet else None, heard.file if heard else None, tuple(places))
        )
    return made


def _part(count: int, share: float) -> int:
    return max(1, round(count * share))


def _others(kind: str, seed: str, count: int, taken: AbstractSet[str]) -> list[Value]:
    """Return values of a kind that stand nowhere else."""
    return list(islice((v for v in values(kind, seed) if v.text not in taken), count))


def _caption(values: Sequence[Value], number: int) -> str:
    draw = random.Random(f"sentences {number}")
    sentences = [draw.choice(SENTENCES[value.kind]).format(value.text) for value in values]
    return " ".join([f"{SCENES[number % len(SCENES)]}.", *sentences])


def write(folder: Path, found: Sequence[Sample]) -> None:
    """Write samples as `0000.png`, `0000.ogg` and `0000.txt`; the folder is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, sample in enumerate(found):
        (folder / f"{number:04d}.txt").write_text(sample.caption)
        if sample.picture is not None:
            (folder / f"{number:04d}.png").write_bytes(sample.picture)
        if sample.speech is not None:
            shutil.copyfile(sample.speech, folder / f"{number:04d}{sample.speech.suffix}")
