"""International bank account numbers, by country length and check digits (ISO 13616, ISO 7064 MOD 97-10).

Presidio's recognizer reads on in small letters, and loses a number that an ordinary word follows.
"""

import re
from collections.abc import Iterator

from filters.pii.recognizers.recognizer import Found, Recognizer

LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
"""Letters and digits of a country's numbers, from the registry that SWIFT keeps for ISO 13616."""

_BEGIN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])")
_NEXT = re.compile(r"[ -]?([A-Za-z0-9])")
_ENDED = re.compile(r"(?![A-Za-z0-9])")


def _find(text: str) -> Iterator[Found]:
    for begin in _BEGIN.finditer(text):
        length = LENGTHS.get(begin[0][:2].upper())
        stop = None if length is None else _read(text, begin, length)
        if stop is not None:
            yield Found(begin.start(), stop, 1.0)


def _read(text: str, begin: re.Match[str], length: int) -> int | None:
    """Return where a number of `length` letters and digits ends, if its check digits are right."""
    read, at = begin[0].upper(), begin.end()
    while len(read) < length:
        following = _NEXT.match(text, at)
        if following is None:
            return None
        read, at = read + following[1].upper(), following.end()
    digits = "".join(str(int(character, 36)) for character in read[4:] + read[:4])
    return at if _ENDED.match(text, at) and int(digits) % 97 == 1 else None


IBANS = Recognizer(name="IbanByLengthRecognizer", entity="IBAN_CODE", needs=_BEGIN.pattern, find=_find)
