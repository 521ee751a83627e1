"""Bank account numbers go whatever word follows them; what only looks like one stays."""

import pytest
from looking import found

from filters.pii.recognizers.ibans import IBANS, LENGTHS

NUMBERS = (
    "DE89370400440532013000",
    "DE89 3704 0044 0532 0130 00",
    "de89370400440532013000",
    "GB82WEST12345698765432",
    "GB82 WEST 1234 5698 7654 32",
    "FR1420041010050500013M02606",
    "NL91ABNA0417164300",
    "ES9121000418450200051332",
    "CH93-0076-2011-6238-5295-7",
    "BE68539007547034",
    "AT611904300234573201",
    "DK5000400440116243",
    "SE4550000000058398257466",
    "PL61109010140000071219812874",
    "NO9386011117947",
    "FI2112345600000785",
    "PT50000201231234567890154",
    "IT60X0542811101000000123456",
)
LOOK_ALIKES = (
    "DE88370400440532013000",  # a wrong check digit
    "DE8937040044053201300",  # too short
    "DE893704004405320130001",  # too long
    "XX82WEST12345698765432",
    "ZZ11 1111 1111 1111 1111",
    "MODE89370400440532013000",
    "IT60",
    "model NO93 from 1970",
    "route DE 89 to Dresden",
    "a GB82 licence plate",
    "FI21 2345",
    "SKU ES91-2100-0418",
    "AT61 in the afternoon",
    "CH93 mountain railway engine",
    "NL91 kilometre stone",
)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("after", ["", " please.", ", thank you", " today and 2 days from now", "\nnext line"])
def test_a_number_goes(number, after):
    assert found(IBANS, f"to the account {number}{after}") == [number]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_a_look_alike_stays(text):
    assert found(IBANS, text) == []
    assert found(IBANS, f"It says {text} on it.") == []


def test_hostile_text_is_read_once():
    text = "DE89 3704 0044 " * 7000
    assert found(IBANS, text) == []


def test_lengths_are_those_of_numbers():
    assert all(15 <= length <= 32 for length in LENGTHS.values())
