"""Made-up personal values, the same in every run: none belongs to anybody.

Addresses are at example.com, .org and .net (RFC 2606); telephone numbers are 555-01xx, which North America keeps for
fiction; network addresses are those of documentation (RFC 5737, RFC 7042); IBANs are the ones that banks print as
examples, card numbers those that payment processors publish for tests. Names, streets and keys are put together here.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

FIRST = (
    "Margaret", "Robert", "Jennifer", "William", "Elizabeth", "Michael", "Patricia", "David", "Susan", "Richard",
    "Barbara", "Thomas", "Jessica", "Charles", "Sarah", "Daniel", "Nancy", "Matthew", "Emily", "Andrew",
)  # fmt: skip
LAST = (
    "Robinson", "Fitzgerald", "Castellanos", "Henderson", "Williams", "Peterson", "Sullivan", "Montgomery", "Johnson",
    "Anderson", "Thompson", "Hernandez", "Mitchell", "Campbell", "Richardson", "Harrison", "Patterson", "Alexander",
    "Gonzalez", "Crawford",
)  # fmt: skip
STREETS = ("Maple", "Chestnut", "Lincoln", "Washington", "Highland", "Riverside", "Franklin", "Jefferson", "Prospect")
WAYS = ("Street", "Avenue", "Road", "Drive", "Lane")
AREAS = (212, 415, 617, 312, 206, 305, 512, 303, 404, 702, 503, 215)
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
CARDS = (
    "4111 1111 1111 1111", "5555-5555-5555-4444", "4012888888881881", "378282246310005", "371449635398431",
    "5105 1051 0510 5100", "6011111111111117", "6011-0009-9013-9424", "30569309025904", "3530111333300000",
)  # fmt: skip
IBANS = (
    "DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606", "NL91ABNA0417164300",
    "ES9121000418450200051332", "CH9300762011623852957", "BE68539007547034", "AT611904300234573201",
    "DK5000400440116243", "SE4550000000058398257466", "PL61109010140000071219812874", "NO9386011117947",
    "FI2112345600000785", "PT50000201231234567890154", "IT60X0542811101000000123456",
)  # fmt: skip
HEX = "0123456789abcdef"
PATIENCE = 1000
"""Repeated draws after which a kind has no further values."""
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Value:
    """One personal value."""

    kind: str
    """Presidio's name for what it is, or ours."""
    text: str


def _person(draw: random.Random) -> str:
    return f"{draw.choice(FIRST)} {draw.choice(LAST)}"


def _email(draw: random.Random) -> str:
    name = f"{draw.choice(FIRST)}{draw.choice('._-')}{draw.choice(LAST)}{draw.choice(('', '7', '42', '88'))}".lower()
    return f"{name}@example.{draw.choice(('com', 'org', 'net'))}"


def _phone(draw: random.Random) -> str:
    area, line = draw.choice(AREAS), draw.randrange(100, 200)
    return draw.choice((f"({area}) 555-0{line}", f"{area}-555-0{line}", f"+1 {area} 555 0{line}"))


def _street(draw: random.Random) -> str:
    return f"{draw.randrange(101, 9899)} {draw.choice(STREETS)} {draw.choice(WAYS)}"


def _network(draw: random.Random) -> str:
    return f"{draw.choice(NETWORKS)}.{draw.randrange(10, 255)}"


def _hardware(draw: random.Random) -> str:
    return "00:00:5e:00:53:" + "".join(draw.choice(HEX) for _ in range(2))


def _key(draw: random.Random) -> str:
    return "ghp_" + "".join(draw.choice(LETTERS) for _ in range(36))


def _from(published: tuple[str, ...]) -> Callable[[random.Random], str]:
    return lambda draw: draw.choice(published)


MAKERS: Mapping[str, Callable[[random.Random], str]] = {
    "PERSON": _person,
    "EMAIL_ADDRESS": _email,
    "PHONE_NUMBER": _phone,
    "STREET_ADDRESS": _street,
    "CREDIT_CARD": _from(CARDS),
    "IBAN_CODE": _from(IBANS),
    "IP_ADDRESS": _network,
    "MAC_ADDRESS": _hardware,
    "API_KEY": _key,
}


def values(kind: str, seed: str = "") -> Iterator[Value]:
    """Yield different values of a kind, in an order that depends on kind and seed, until there are no more."""
    draw = random.Random(f"{kind} {seed}")
    seen: set[str] = set()
    tries = 0
    while tries < PATIENCE:
        text = MAKERS[kind](draw)
        tries = 0 if text not in seen else tries + 1
        if text not in seen:
            seen.add(text)
            yield Value(kind, text)
