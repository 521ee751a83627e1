"""What three data pipelines take for personal data, re-stated from their documentation; none of their code is here.

datatrove `PIIFormatter`    e-mail addresses as RFC 5322 spells most of them, and IPv4 addresses that are public
Dolma `pii_regex`           what has an at sign amid no blanks, North American telephone numbers, IPv4 addresses
Data-Juicer                 `clean_email_mapper`, `clean_ip_mapper`: e-mail addresses in ASCII letters, IPv4 and IPv6
"""

import ipaddress
import re
from collections.abc import Callable

Found = tuple[int, int, str]
Finder = Callable[[str], list[Found]]

_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![\d.])(?:{_BYTE}\.){{3}}{_BYTE}(?![\d.]*\d)")
_LOOSE_IPV4 = re.compile(r"(?:[01]?\d?\d|2[0-4]\d|25[0-5])(?:\.(?:[01]?\d?\d|2[0-4]\d|25[0-5])){3}")
_IPV6 = re.compile(r"(?i)(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])")
_RFC_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_RFC_EMAIL = re.compile(
    rf"(?ai)\b{_RFC_ATOM}(?:\.{_RFC_ATOM})*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
)
_AT_SIGN = re.compile(r"[^\s@]+@[^\s@,?!;:()]+(?=[.,?!;:()]?\s|[.,?!;:()]?$)")
_ASCII_EMAIL = re.compile(r"(?a)[\w.+-]+@[a-z0-9._+-]+\.[a-z]+")
_AMERICAN_PHONE = re.compile(r"(?:(?<=\s)|^)\(?\d{3}\)?[-. ]*\d{3}[-. ]?\d{4}")


def _all(pattern: re.Pattern[str], entity: str, text: str) -> list[Found]:
    return [(*hit.span(), entity) for hit in pattern.finditer(text)]


def datatrove(text: str) -> list[Found]:
    addresses = _all(_IPV4, "IP_ADDRESS", text)
    public = [found for found in addresses if ipaddress.ip_address(text[found[0] : found[1]]).is_global]
    return _all(_RFC_EMAIL, "EMAIL_ADDRESS", text) + public


def dolma(text: str) -> list[Found]:
    return [
        *_all(_AT_SIGN, "EMAIL_ADDRESS", text),
        *_all(_AMERICAN_PHONE, "PHONE_NUMBER", text),
        *_all(_LOOSE_IPV4, "IP_ADDRESS", text),
    ]


def data_juicer(text: str) -> list[Found]:
    emails = _all(_ASCII_EMAIL, "EMAIL_ADDRESS", text)
    return emails + _all(_LOOSE_IPV4, "IP_ADDRESS", text) + _all(_IPV6, "IP_ADDRESS", text)


PEERS: dict[str, tuple[Finder, frozenset[str]]] = {
    "datatrove": (datatrove, frozenset({"EMAIL_ADDRESS", "IP_ADDRESS"})),
    "Dolma": (dolma, frozenset({"EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS"})),
    "Data-Juicer": (data_juicer, frozenset({"EMAIL_ADDRESS", "IP_ADDRESS"})),
}
"""Each with the kinds of data it looks for at all."""
