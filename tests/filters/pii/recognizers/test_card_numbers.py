"""Card numbers of all issuers go; other long numbers stay. The cards are issuers' own for tests, or made to pass."""

import pytest
from looking import found

from filters.pii.recognizers.card_numbers import CARD_NUMBERS

CARDS = (
    "2223003122003222",
    "2223 0031 2200 3222",
    "2720-9999-9999-9996",
    "2221000000000009",
    "4111111111111111",
    "4111 1111 1111 1111",
    "4000000000000000006",
    "180000000000002",
    "213181770388602",
    "3530111333300000",
    "3566002020360505",
    "6011111111111117",
    "6011 0009 9013 9424",
    "6445644564456445",
    "6510000000000208",
    "6200000000000005",
)
ABOUT_CARDS = (
    "my Maestro card 6759649826438453",
    "card number 501803075628 is lost",
    "cc 4222222222222",
    "paid with 5018 0307 5628",
)
LOOK_ALIKES = (
    "2223003122003223",
    "4111111111111112",
    "serial 501803075628",
    "order 6759649826438453 was sent",
    "card 501803075629",
    "978316148410",
    "ISBN 978-3-16-148410-0",
    "1234567890123456",
    "0000000000000000",
    "tracking 9400110200881234567890",
    "3.141592653589793",
    "+442079460958000",
    "20230415123456",
    "12,345,678,901,234",
    "id-4111111111111111",
    "IMG_4111111111111111",
    "a credit card on a table",
)


@pytest.mark.parametrize("card", CARDS)
def test_card_number_goes(card):
    for around in ("{}", "It is {}.", "({})", "{}, please"):
        assert found(CARD_NUMBERS, around.format(card)) == [card]


@pytest.mark.parametrize("text", ABOUT_CARDS)
def test_number_of_a_wide_range_goes_where_cards_are_spoken_of(text):
    (card,) = found(CARD_NUMBERS, text)
    assert card == text.strip("abcdefghijklmnopqrstuvwxyzM ")


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_other_numbers_stay(text):
    assert found(CARD_NUMBERS, text) == []
