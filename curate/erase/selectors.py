"""What somebody asks to have erased: an address, a domain, a key, a text or a picture."""

import csv
import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from curate.errors import InputError, nearest
from curate.pii_match import VARIABLE, pii_secret, value_match

KINDS = ("url", "domain", "key", "text", "image")
DUPLICATE = "duplicate"
"""What a tombstone names as the selector of a sample that followed another one."""
_KEY = re.compile(r"[0-9A-Za-z_-]+")
_PORTS = {"http": 80, "https": 443, "ftp": 21}
_SHORTEST = 3
"""Characters of a text: one or two would stand in nearly every sample."""


@dataclass(frozen=True)
class Selector:
    """One thing to look for. `value` is personal: it is shown to whoever gave it, and never stored."""

    kind: str
    value: str
    """As it is compared: canonical address, host, key, folded text, or the path of a picture."""
    given: str
    """As it was spelled."""

    def mark(self, secret: bytes) -> str:
        """Hash the value, keyed, so that the same request is known again where the samples are gone."""
        data = self.picture() if self.kind == "image" else self.value.encode("utf-8", "surrogatepass")
        return value_match(secret, hashlib.sha256(self.kind.encode() + b"\0" + data).hexdigest())

    def picture(self) -> bytes:
        """Return the bytes of an `image` selector's file.

        Raises:
            InputError: it cannot be read.
        """
        return _read(self.value)


def secret_or_none() -> bytes | None:
    """Return the secret of keyed hashes, or None where none is set: a search then says what it cannot do.

    Raises:
        SecretError: it is set and too short.
    """
    return pii_secret() if os.environ.get(VARIABLE) else None


def selector(kind: str, given: str) -> Selector:
    """Check and fold one selector.

    Raises:
        InputError: it cannot name anything.
    """
    folded = _FOLDED[kind](given)
    if not folded or (kind == "text" and len(folded) < _SHORTEST):
        raise InputError(f"--{kind} {given!r}: names nothing. Give {_WANTED[kind]}")
    if kind == "image":
        _read(folded)
    return Selector(kind, folded, given)


_WANTED = {
    "url": "the address that a sample came from",
    "domain": "a host, such as example.com: its subdomains count",
    "key": "a sample's key: letters, digits, '_' and '-'",
    "text": f"at least {_SHORTEST} characters",
    "image": "the path of a picture",
}


def read_selectors(path: str) -> list[Selector]:
    """Read a file of selectors: `kind,value` a line as csv, or one value a line that its look tells the kind of.

    A line with `://` is a URL, one of 32 hex digits a key; anything else needs its kind.

    Raises:
        InputError: a line is neither, or the file cannot be read.
    """
    try:
        lines = _read(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 ({error}). Save it as UTF-8") from error
    found = []
    for number, line in enumerate(lines, start=1):
        cells = next(csv.reader([line]), [])
        if not line.strip() or [c.strip().lower() for c in cells] == ["kind", "value"]:
            continue
        try:
            found.append(_line(line.strip(), cells))
        except InputError as error:
            raise InputError(f"{path}:{number}: {error}") from error
    if not found:
        raise InputError(f"{path}: holds no selector. Write `kind,value` a line, such as url,https://example.com/a.jpg")
    return found


def _line(line: str, cells: Sequence[str]) -> Selector:
    kind = cells[0].strip().lower()
    if kind in KINDS and len(cells) == 2:  # noqa: PLR2004 - kind and value
        return selector(kind, cells[1].strip())
    if "://" in line:
        return selector("url", line)
    if re.fullmatch(r"[0-9a-f]{32}", line):
        return selector("key", line)
    raise InputError(
        f"{line!r} is no URL and no key. Write `kind,value`, with a kind of {', '.join(KINDS)}.{nearest(kind, KINDS)}"
    )


def canonical_url(url: str) -> str:
    """Return an address as it is compared: scheme and host in lower case, no default port, no fragment.

    Path and query count exactly: to many servers `/A` and `/a` are two pictures. What is no URL counts as it stands.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or ""), parts.port
    except ValueError:
        return url.strip()
    if not parts.scheme or not host:
        return url.strip()
    scheme = parts.scheme.lower()
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    named = f"[{host}]" if ":" in host else host
    place = named if port is None or port == _PORTS.get(scheme) else f"{named}:{port}"
    return urlunsplit((scheme, user + place, parts.path or "/", parts.query, ""))


def host_of(url: str | None) -> str:
    """Return the host of an address in lower case, without a last dot; nothing where there is none."""
    try:
        return (urlsplit(url or "").hostname or "").rstrip(".")
    except ValueError:
        return ""


def within(host: str, domain: str) -> bool:
    """Tell whether a host is a domain or lies below it."""
    return host == domain or host.endswith(f".{domain}")


def fold(text: str) -> str:
    """Return a text as it is compared: NFKC, case folded, each run of white space one blank."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def _host(domain: str) -> str:
    given = domain.strip().lower().removeprefix("*.").strip(".")
    return host_of(given) if "://" in given else given.partition("/")[0].partition(":")[0]


def _key(key: str) -> str:
    return key.strip() if _KEY.fullmatch(key.strip()) else ""


_FOLDED: dict[str, Callable[[str], str]] = {
    "url": canonical_url,
    "domain": _host,
    "key": _key,
    "text": fold,
    "image": str,
}


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Give a file that can be read") from error
