"""Telephone numbers without words around them that say so.

Presidio asks libphonenumber for numbers that are assigned in eight countries. Ours takes every country, numbers of a
telling form whose area code is not assigned (numbers are misspelled, made up for examples, or newer than the
library), extensions, and what stands behind "tel" or "phone".
"""

import re
from collections.abc import Iterator
from typing import Any

from filters.pii.recognizers.recognizer import Found, Recognizer

_SEP = r"[ .\-/\u00a0\u2011\u2013]"
_EXTENSION = r"(?:[ ]?(?:x|ext\.?|extension|#)[ ]?\d{1,6}(?!\w))?"
# +49 30 1234567, +44 (0)20 7946 0958, 0049-30-1234567
_INTERNATIONAL = re.compile(
    r"(?<![\w+.,/=-])(?:\+|00)(?=[ ]?[1-9])"
    rf"(?:[ (]{{0,2}}\d{{1,5}}\)?{_SEP}{{0,2}}){{2,7}}(?<=\d){_EXTENSION}(?![\w]|[.,]\d)"
)
# (212) 555-0187, 212.555.0187, 1-212-555-0187 x12: three groups of one separator, as North America writes them
_AMERICAN = re.compile(
    r"(?<![\w+.,/=$€£#(-])(?:1[ .-])?"
    rf"(?:\([2-9]\d\d\)[ ]?\d{{3}}[-. ]|[2-9]\d\d([-.])\d{{3}}\1)\d{{4}}{_EXTENSION}(?![\w-]|[.,/]\d)"
)
# 030 1234567, 01 23 45 67 89, (020) 7946 0958: a trunk 0, and groups
_TRUNK = re.compile(
    r"(?<![\w+.,:/=$€£#-])\(?0[1-9]\d{0,4}\)?[ /.-]{1,3}\d{2,8}(?:[ .-]\d{2,6}){0,4}(?![\w]|[.,:/-]\d|[ ]?[€$£%])"
)
_DECIMAL = re.compile(r"[+]\d{1,3}\.\d{1,12}")
# (78) 309-926, (011) 4321-8765: an area in brackets and hyphens behind it
_BRACKETED = re.compile(
    rf"(?<![\w+.,/=$€£#(-])\(0?\d{{2,4}}\)[ ]?\d{{3,4}}-\d{{3,4}}(?:-\d{{2,4}})?{_EXTENSION}(?![\w-]|[.,/]\d)"
)
_ZIP_PLUS_FOUR = re.compile(r"\d{5}-\d{4}")
_NAMED = re.compile(
    r"(?i)(?:\b(?:tele?(?:phone|fon|fono|foon)?|t[ée]l|phone|mobile?|mobil|cell(?:phone)?|fax"
    r"|whats ?app|sms|hotline|handy|m[óo]vil"
    r"|(?:call|ring|text|reach)[ ](?:me|us|him|her|them)(?:[ ](?:on|at|under|back[ ]at))?|dial"
    r"|(?:my|new|old|home|work|office|contact)[ ]number(?:[ ]is)?)|\u260e|\u2706|\U0001f4de|\u2121)"
    r"(?:[ ]?(?:number|nr|no|n[º°]))?"
    r"[.:]{0,2}\s{0,2}((?:\+|\(|\d)[\d ()./\-\u2011\u2013]{5,22}\d)"
    rf"{_EXTENSION}(?!\w)"
)
_REGIONS = ("GB", "DE", "FR", "IT", "NL", "BE", "AT", "CH", "SE", "IE", "AU", "NZ", "JP", "IN", "ZA", "TR", "ID", "KR")
"""Countries that write a trunk 0 before their own numbers."""

MIN_DIGITS, MAX_DIGITS = 7, 15  # ITU-T E.164, section 6.1: 15 at most
MIN_TRUNK_DIGITS = 9


def _find(text: str) -> Iterator[Found]:
    for hit in _INTERNATIONAL.finditer(text):
        score = _international_score(hit[0])
        if score:
            yield Found(*hit.span(), score)
    for pattern in (_AMERICAN, _BRACKETED):
        yield from (Found(*hit.span(), 0.6) for hit in pattern.finditer(text))
    for hit in _TRUNK.finditer(text):
        if (
            not _ZIP_PLUS_FOUR.fullmatch(hit[0])
            and len(_digits(hit[0])) >= MIN_TRUNK_DIGITS
            and _is_assigned(hit[0], _REGIONS)
        ):
            yield Found(*hit.span(), 0.5)
    for hit in _NAMED.finditer(text):
        if MIN_DIGITS <= len(_digits(hit[1])) <= MAX_DIGITS and not _is_date(hit[1]):
            yield Found(hit.start(1), hit.end(), 0.7)


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdecimal())


def _is_date(text: str) -> bool:
    return re.fullmatch(r"(?:\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?: .*)?", text) is not None


def _international_score(text: str) -> float:
    """Return how sure a number with a country code is; 0 for none. After 00 only what is assigned counts."""
    import phonenumbers

    if _DECIMAL.fullmatch(text):
        return 0
    plus = text.startswith("+")
    number = _number(text if plus else f"+{text[2:]}", None)
    if number is None:
        return 0
    if phonenumbers.is_valid_number(number):
        return 0.9
    return 0.6 if plus and phonenumbers.is_possible_number(number) else 0


def _is_assigned(text: str, regions: tuple[str, ...]) -> bool:
    import phonenumbers

    numbers = (_number(text, region) for region in regions)
    return any(number is not None and phonenumbers.is_valid_number(number) for number in numbers)


def _number(text: str, region: str | None) -> Any:
    import phonenumbers

    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


PHONES = Recognizer(
    name="AnyPhoneRecognizer",
    entity="PHONE_NUMBER",
    needs=(
        r"(?:\+|00)[ (]{0,2}[1-9][\d ().\-/\u00a0\u2011\u2013]{5}|\d{3}\)?[ .-]?\d{3}[-. ]\d{4}"
        r"|\d\)[ ]?\d{3,4}-\d|0[1-9]\d{0,4}\)?[ /.-]{1,3}\d\d"
        r"|(?i:tel|t[ée]l|phone|mobil|cell|fax|whats|sms|hotline|handy|m[óo]vil|[\u260e\u2706\U0001f4de\u2121]"
        r"|call|ring|text|reach|dial|number)[^\d]{0,14}\d"
    ),
    find=_find,
)
