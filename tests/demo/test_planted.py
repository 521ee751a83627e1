"""The planted values are what they claim to be, and nobody's."""

import re

from curate.demo.planted import PLANTED, searched_values


def luhn(number):
    digits = [int(c) for c in number if c.isdigit()][::-1]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


def iban_rest(iban):
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97


RULES = {
    "EMAIL_ADDRESS": lambda v: re.fullmatch(r"[^@\s]+@(?:\w+\.)?example\.(?:org|net|com)", v),
    "PHONE_NUMBER": lambda v: re.search(r"555[ -]01\d\d$", v),
    "CREDIT_CARD": luhn,
    "US_SSN": lambda v: re.fullmatch(r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}", v),
    "IBAN_CODE": lambda v: iban_rest(v) == 1,
    "IP_ADDRESS": lambda v: v.startswith("192.0.2."),
    "PERSON": lambda v: re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", v),
}


def test_every_value_follows_the_rule_of_its_kind():
    for planted in PLANTED:
        assert RULES[planted.kind](planted.value), planted.kind


def test_there_are_enough_of_many_kinds_each_once():
    assert len({p.value for p in PLANTED}) == len(PLANTED) >= 12
    assert {p.kind for p in PLANTED} == set(RULES)


def test_a_caption_says_what_the_picture_shows_and_holds_the_value_whole():
    for planted in PLANTED:
        caption = planted.caption("A great blue heron.")
        assert caption.startswith("A great blue heron. ")
        assert caption.count(planted.value) == 1


def test_searched_are_all_values_surnames_and_bare_numbers():
    searched = searched_values()
    assert {p.value for p in PLANTED} < set(searched)
    assert searched["Kowalczyk"] == "PERSON"
    assert searched["4111111111111111"] == "CREDIT_CARD"
    assert searched["2125550143"] == "PHONE_NUMBER"
    assert min(map(len, searched)) >= 8  # shorter ones would be found by chance in compressed bytes
