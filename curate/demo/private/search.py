"""Searching everything below a folder for values: in files as they are, in what is packed in them, in media."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from curate.demo.pieces import pieces
from curate.demo.private.reading import Reader, medium
from curate.demo.private.values import Value

NUMBERS = frozenset({"PHONE_NUMBER", "CREDIT_CARD", "US_SSN"})
_LETTERS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Needle:
    """A value in the forms in which it must be found nowhere."""

    value: Value

    @cached_property
    def written(self) -> tuple[bytes, ...]:
        """As text has it, in lower case; numbers without spaces and hyphens too."""
        forms = [self.value.text.lower()]
        if self.value.kind in NUMBERS:
            forms.append("".join(filter(str.isdigit, self.value.text)))
        return tuple(form.encode() for form in forms)

    @cached_property
    def read(self) -> tuple[str, ...]:
        """As a picture or a recording has it: letters and digits alone."""
        plain = _plain(self.value.text)
        if self.value.kind != "EMAIL_ADDRESS":
            return (plain.removeprefix("1") if self.value.kind == "PHONE_NUMBER" else plain,)
        name, _, host = self.value.text.lower().partition("@")
        return (plain, _plain(f"{name} at {host}"))


class Search:
    """A search for values that can be repeated, as often as a run changes."""

    def __init__(self, values: Collection[Value], reader: Reader | None = None) -> None:
        """Prepare the forms of each value."""
        self._needles = [Needle(value) for value in values]
        self._reader = reader or Reader()

    def find(self, folder: Path, without: Collection[str] = ()) -> Mapping[Value, Sequence[str]]:
        """Return {value: where it is}; `without` names what directly below the folder is left out."""
        found: dict[Value, list[str]] = defaultdict(list)
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            inside = file.relative_to(folder)
            if inside.parts[0] in without:
                continue
            for where, data in pieces(file, inside.as_posix()):
                for value in self._in(data):
                    found[value].append(where)
        return found

    def heard(self, data: bytes) -> list[Value]:
        """Return the values that can be read in a picture, or heard in a recording."""
        words = _plain(self._reader.read(data))
        return [n.value for n in self._needles if any(form in words for form in n.read)]

    def _in(self, data: bytes) -> Iterator[Value]:
        lower = data.lower()
        words = _plain(self._reader.read(data)) if medium(data) else ""
        for needle in self._needles:
            if any(form in lower for form in needle.written) or any(form in words for form in needle.read):
                yield needle.value


def _plain(text: str) -> str:
    return _LETTERS.sub("", text.lower())
