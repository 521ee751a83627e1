"""Naming personal values without keeping them: keyed hashes, from a secret that no run ever stores.

Two hashes of one value serve two ends and tell nothing of each other: `pseudonym` stands in the published text in its
place, and `value_match` stands in the ledger, so that whoever holds the secret finds a person's samples when asked to
erase them. Both are of the value as `normalised` spells it, whatever kind of data a detector took it for.
"""

import functools
import hashlib
import hmac
import ipaddress
import os
import re
import unicodedata
from dataclasses import dataclass, field

from curate.errors import SecretError

VARIABLE = "CURATE_PII_SECRET"
MIN_BYTES = 16
PSEUDONYM_DIGITS = 12
"""Hex digits: 48 bits. Of a million distinct values, one pair in 500 corpora shares a stand-in; with 32 bits, 116."""

_AT = re.compile(r"\s?[\[({<]\s?at\s?[\])}>]\s?|\sat\s|\s?@\s?")
_DOT = re.compile(r"\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?|\sdot\s|\s\.\s")
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+\.[^\s@]+")
_EDGES = " .,;:!?\"'()[]{}<>«»“”‘’„*_"  # noqa: RUF001 - these are the quotation marks of texts


def pii_secret() -> bytes:
    """Return the secret from the environment.

    Raises:
        SecretError: CURATE_PII_SECRET is not set, or is shorter than 16 bytes.
    """
    secret = os.environ.get(VARIABLE, "").encode("utf-8", "surrogateescape")
    if len(secret) < MIN_BYTES:
        problem = f"has {len(secret)} bytes, {MIN_BYTES} at least are needed" if secret else "is not set"
        raise SecretError(
            f"{VARIABLE} {problem}. Pseudonyms and matches are keyed by it: make one with `openssl rand -hex 32`, "
            "export it wherever a worker runs, and keep it apart from the run, which never stores it"
        )
    return secret


def secret_fingerprint(secret: bytes) -> str:
    """Return 16 hex digits that change with the secret, for a stage's identity.

    It tells nothing of use. From the 16 random bytes that are asked for, no search ends; and of a weak secret each
    guess costs one scrypt (16 MiB and some 50 ms), as it does from a pseudonym of a known value, since the keys of
    both come out of the same scrypt.
    """
    return _keys(secret).fingerprint


def value_match(secret: bytes, value: str) -> str:
    """Return 32 hex digits that name a value in the ledger; equal for spellings that `normalised` makes equal."""
    return _named(_keys(secret).match, value)[:32]


def pseudonym(secret: bytes, value: str) -> str:
    """Return the hex digits that stand for a value in published text, the same everywhere in a corpus."""
    return _named(_keys(secret).pseudonym, value)[:PSEUDONYM_DIGITS]


def normalised(value: str) -> str:
    """Return the one spelling of a value: what differs only in writing shall be equal.

    Unicode NFKC and casefold; invisible characters go, blanks become one space, marks and a possessive around the value
    go. IP addresses in their canonical form; what else has no letter (telephone, card and social security numbers)
    by its digits, without the 00 of an international call; codes of more digits than letters (IBAN) by both; an
    e-mail address that was spelled out ("jane [at] example dot com") as an address.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    seen = "".join(c for c in folded if unicodedata.category(c) != "Cf")
    text = " ".join(seen.split()).strip(_EDGES)
    text = text.removesuffix("'s").removesuffix("’s")  # noqa: RUF001
    address = _ip_address(text)
    if address is not None:
        return address
    digits, letters = sum(c.isdecimal() for c in text), sum(c.isalpha() for c in text)
    if digits > letters and "@" not in text:
        kept = "".join(c for c in text if c.isdecimal() or c.isalpha())
        return kept if letters else kept.removeprefix("00")
    return _as_email(text)


@dataclass(frozen=True)
class _Keys:
    pseudonym: bytes = field(repr=False)
    match: bytes = field(repr=False)
    fingerprint: str


@functools.lru_cache(maxsize=4)
def _keys(secret: bytes) -> _Keys:
    """Derive keys that tell nothing of each other; a slow derivation, once in a process."""
    derived = hashlib.scrypt(secret, salt=b"curate pii 1", n=2**14, r=8, p=1, dklen=72)
    return _Keys(derived[:32], derived[32:64], derived[64:].hex())


def _named(key: bytes, value: str) -> str:
    return hmac.new(key, normalised(value).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _ip_address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _as_email(text: str) -> str:
    """Join what was spelled out, if an address comes of it."""
    joined = _DOT.sub(".", _AT.sub("@", text))
    return joined if _EMAIL.fullmatch(joined) else text
