"""Payment cards that Presidio's pattern leaves out: Mastercard's newer series, Maestro, cards of 13, 15 and 19 digits.

Issuer ranges as ISO/IEC 7812 registers and the issuers publish them. Every number has to pass the check of Luhn
(US patent 2,950,048), as one random number in ten does: where a range is wide, a word about cards has to be in the
text too.
"""

import re
from collections.abc import Iterator

from filters.pii.luhn import passes_luhn
from filters.pii.recognizers.recognizer import Found, Recognizer

_NUMBER = re.compile(r"(?<![\w.,+/-])(?:\d[ -]?){11,18}\d(?![\w]|[-.,/]\d)")
_NARROW = re.compile(
    r"(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|4\d{15}(?:\d{3})?|(?:1800|2131)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"  # Visa, JCB
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12}|62\d{14}"  # Discover, UnionPay
)
_WIDE = re.compile(r"4\d{12}|(?:50|5[6-9]|6\d)\d{10,17}")  # old Visa, Maestro
_ABOUT_CARDS = re.compile(r"(?i)card|\bcc\b|credit|debit|visa|maestro|payment|\bpaid\b|charge|billing")


def _find(text: str) -> Iterator[Found]:
    about_cards = _ABOUT_CARDS.search(text) is not None
    for hit in _NUMBER.finditer(text):
        digits = "".join(filter(str.isdecimal, hit[0]))
        if (_NARROW.fullmatch(digits) or (about_cards and _WIDE.fullmatch(digits))) and passes_luhn(digits):
            yield Found(*hit.span(), 0.9)


CARD_NUMBERS = Recognizer(
    name="AnyCardRecognizer",
    entity="CREDIT_CARD",
    needs=r"(?:\d[ -]?){12}",
    find=_find,
)
