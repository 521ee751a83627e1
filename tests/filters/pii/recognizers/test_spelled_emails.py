"""Addresses spelled for people go; sentences with "at" and "dot" stay."""

import pytest
from looking import found

from filters.pii.recognizers.spelled_emails import SPELLED_EMAILS

ADDRESSES = (
    "jane dot smith at example dot com",
    "jane [at] example (dot) com",
    "jane.smith [at] example [dot] org",
    "jane(at)example.com",
    "jane (at) mail (dot) example (dot) co (dot) uk",
    "jane_smith_at_example.com",
    "jane AT example DOT com",
    "jane {at} example {dot} net",
    "jane <at> example.com",
    "jane @ example . com",
    "jane@example [dot] com",
    "jane@example dot com",
    "jane.smith at example.com",
    "jane1980 at example.org",
    "jane at gmail.com",
    "jane at yahoo dot co dot uk",
    "jane&#64;example.com",
    "jane%40example.com",
    "jane\uff20example.com",
    "jane-marie.smith(at)uni-example.de",
    "jane (arroba) example (punto) es",
    "jane [ät] example [punkt] de",
)  # fmt: skip
LOOK_ALIKES = (
    "look at the polka dot dress",
    "she stared at red dot in the middle",
    "we arrived at noon. com port three was free",
    "a red bus at the corner",
    "meet me at example.com",
    "see the demo at docs.python.org",
    "the score was 3 at half time",
    "at dot com prices",
    "a dot at the end of the line",
    "laser dot at 30 metres",
    "connect the dots at home",
    "the dot com bubble burst at last",
    "2 tickets @ 15 dollars",
    "apples @ 2.50 per kilo",
    "open daily @ 9 am. no entry later",
    "the array has (at) most ten items",
    "e.g. at amazon.com",
    "U.S. at nasa.gov",
    "a cat (at left) and a dog (at right)",
    "50%40 split",
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("around", ["{}", "Write to {}, please.", "mail:\n{}\n", "<{}>"])
def test_address_goes_whole(address, around):
    assert found(SPELLED_EMAILS, around.format(address)) == [address]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_ordinary_text_stays(text):
    assert found(SPELLED_EMAILS, text) == []


def test_angle_brackets_tell_an_address():
    assert found(SPELLED_EMAILS, "Jane Smith <jane at example.com>, at example.com") == ["jane at example.com"]


def test_two_addresses_are_two_findings():
    assert found(SPELLED_EMAILS, "jo (at) example.com and mo (at) example.org") == [
        "jo (at) example.com",
        "mo (at) example.org",
    ]
