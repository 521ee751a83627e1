"""Phone numbers as Presidio's recognizer finds them, without its eight passes over the text.

`PhoneNumberMatcher` of python-phonenumbers looks for candidates, stretches of digits and punctuation, and reads each as
a number of a region; Presidio does so for eight regions. Where candidates stand depends on the region only through
where the last number ended, so one list of candidates serves all. Reading one takes 36 us, and most are years, sums and
card numbers: digits that end in no number of the region, which one expression tells, are not read.
"""

import re
from collections.abc import Iterator, Sequence
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberMatcher, country_code_for_region
from phonenumbers.phonenumbermatcher import _PATTERN as CANDIDATE
from phonenumbers.phonenumberutil import _SECOND_NUMBER_START_PATTERN as SECOND_NUMBER
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

FIRST = re.compile("[0-9+(\\[]")
ANY_FIRST = re.compile("[\\d+\uff0b(\\[\uff08\uff3b]")
"""What a candidate starts with: a digit, a plus sign or an opening bracket, of ASCII or of any width."""
PLAIN = re.compile(r"[0-9 ()\[\]./-]*")
"""A candidate without a plus sign, an extension, letters that stand for digits, or digits beyond ASCII."""
NOT_DIGITS = re.compile("[^0-9]+")
PLUS_SIGNS = "+\uff0b"
ABROAD = "+"
"""Stands for every region in what is remembered of numbers with a plus sign."""
FEWEST = 4
"""Digits of the shortest valid number of any region, with or without its country's code; a test holds it."""
REMEMBERED = 1 << 16
TRIES = 65535
"""Candidates and parts of them that the library reads in a text before it gives up."""
WAYS_APART = 6
"""Ways in which the library takes a candidate apart."""
AROUND = 3
"""Characters after a candidate that decide about it: the `:30` that makes it a time."""
ENDINGS = (None, r"\2")
"""How the national prefix of a region may be rewritten and leave an end of the digits: not at all, or, in Brazil, to
what follows the carrier's code."""
TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)
"""The kinds of numbers of which a valid one is one, as attributes of the library's metadata."""


def is_phone_recognizer(recognizer: Any) -> bool:
    """Tell whether a recognizer is Presidio's own for phone numbers."""
    return type(recognizer) is PhoneRecognizer


class PhoneSearch:
    """Finds what a `PhoneRecognizer` finds."""

    def __init__(self, recognizer: Any) -> None:
        """Take regions and leniency of a recognizer."""
        self._leniency = recognizer.leniency
        self._regions = [Region(region) for region in recognizer.supported_regions]
        self._read: dict[tuple[str, str, str, str], tuple[int, int] | None] = {}

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return (start, stop) of the numbers of all regions; of those within another only the outer one."""
        candidates = _Candidates(text, self._regions)
        if not candidates.any_hope():
            return []
        found = {span for region in self._regions for span in self._of_region(candidates, region)}
        kept: list[tuple[int, int]] = []
        for start, stop in sorted(found, key=lambda span: (span[0], -span[1])):
            if not any(other >= stop for _, other in kept):
                kept.append((start, stop))
        return kept

    def _of_region(self, candidates: "_Candidates", region: "Region") -> Sequence[tuple[int, int]]:
        """Return the numbers that `PhoneNumberMatcher(text, region)` finds."""
        index = tries = 0
        found = []
        while (candidate := candidates.at(index)) is not None:
            start, index, hopeful = candidate
            tries += 1 + WAYS_APART * (index - start + 2)
            if tries >= TRIES:  # the library may give up within this text: let it say itself where
                matches = PhoneNumberMatcher(candidates.text, region.name, leniency=self._leniency)
                return [(match.start, match.end) for match in matches]
            number = self._number(candidates.text, start, index, region) if hopeful else None
            if number is not None:
                found.append(number)
                index = number[1]
        return found

    def _number(self, text: str, start: int, stop: int, region: "Region") -> tuple[int, int] | None:
        """Return where a candidate, read as a number of a region, holds one."""
        around = text[max(start - 1, 0) : start], text[start:stop], text[stop : stop + AROUND]
        # A whole candidate with a plus sign is the same number whatever the region.
        for key in ((ABROAD, *around), (region.name, *around)):
            if key in self._read:
                inside = self._read[key]
                break
        else:
            inside = _read(region, *around, self._leniency)
            abroad = inside == (0, stop - start) and text[start] in PLUS_SIGNS
            if len(self._read) >= REMEMBERED:
                self._read.clear()
            self._read[(ABROAD if abroad else region.name, *around)] = inside
        return None if inside is None else (start + inside[0], start + inside[1])


def _read(region: "Region", before: str, candidate: str, after: str, leniency: int) -> tuple[int, int] | None:
    """Return where in a candidate the library finds a number."""
    if candidate.isdecimal() and not region.may_hold(candidate):
        return None  # digits alone cannot be taken apart
    matcher = _Matcher(before + candidate + after, region, leniency)
    match = matcher.number_in(candidate, len(before))
    return None if match is None else (match.start - len(before), match.end - len(before))


class _Matcher(PhoneNumberMatcher):
    """The library's matcher, which reads no part of a candidate that cannot be a number."""

    def __init__(self, text: str, region: "Region", leniency: int) -> None:
        super().__init__(text, region.name, leniency=leniency)
        self._region = region

    def number_in(self, candidate: str, offset: int) -> Any:
        """Return the number that a candidate is or holds, or None."""
        return self._extract_match(candidate, offset)

    def _parse_and_verify(self, candidate: str, offset: int) -> Any:
        return super()._parse_and_verify(candidate, offset) if self._region.may_hold(candidate) else None


class Region:
    """Tells which digits may be a number of a region."""

    def __init__(self, name: str) -> None:
        """Read the library's metadata of a region."""
        self.name = name
        metadata = _metadata(name)
        country = country_code_for_region(name)
        shared = [_metadata(other) for other in COUNTRY_CODE_TO_REGION_CODE[country]]
        prefix = metadata.national_prefix_for_parsing or ""
        stripped = len(str(country)) + 2 * parser.parse(prefix).getwidth()[1]
        numbers = "|".join(pattern for other in shared for pattern in _patterns(other))
        self._abroad = re.compile(metadata.international_prefix)
        self._national = re.compile(f"[0-9]{{0,{stripped}}}(?:{numbers})")
        self._tells = metadata.national_prefix_transform_rule in ENDINGS

    def may_hold(self, candidate: str) -> bool:
        """Tell whether a candidate may be read as a valid number.

        Its national number is an end of its digits, after country code and national prefix, and is of a pattern of the
        region or of one with the same country code; a number of another country starts with a plus sign or with the
        digits that one dials to get abroad.
        """
        if not self._tells or not PLAIN.fullmatch(candidate):
            return True
        digits = NOT_DIGITS.sub("", candidate)
        return bool(self._national.fullmatch(digits) or self._abroad.match(digits))


def _metadata(region: str) -> Any:
    return PhoneMetadata.metadata_for_region(region)


def _patterns(metadata: Any) -> Iterator[str]:
    for kind in TYPES:
        description = getattr(metadata, kind)
        if description is not None and description.national_number_pattern:
            yield f"(?:{description.national_number_pattern})"


class _Candidates:
    """The candidates of a text, each found once for all regions."""

    def __init__(self, text: str, regions: Sequence[Region]) -> None:
        self.text = text
        self._regions = regions
        self._first = FIRST if text.isascii() else ANY_FIRST
        self._at: dict[int, tuple[int, int, bool] | None] = {}

    def at(self, index: int) -> tuple[int, int, bool] | None:
        """Return (start, stop, hopeful) of the first candidate from index on."""
        if index not in self._at:
            self._at[index] = self._search(index)
        return self._at[index]

    def any_hope(self) -> bool:
        """Tell whether a number may be found anywhere."""
        index = 0
        while (candidate := self.at(index)) is not None:
            _, index, hopeful = candidate
            if hopeful:
                return True
        return False

    def _search(self, index: int) -> tuple[int, int, bool] | None:
        for first in self._first.finditer(self.text, index):
            match = CANDIDATE.match(self.text, first.start())
            if match is not None:
                second = SECOND_NUMBER.search(match[0])
                candidate = match[0][: second.start()] if second else match[0]
                return match.start(), match.start() + len(candidate), self._is_hopeful(candidate)
        return None

    def _is_hopeful(self, candidate: str) -> bool:
        """Tell a candidate that may hold a number of some region."""
        if candidate.isdecimal():
            return any(region.may_hold(candidate) for region in self._regions)
        return not PLAIN.fullmatch(candidate) or len(NOT_DIGITS.sub("", candidate)) >= FEWEST
