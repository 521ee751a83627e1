"""One request and its answer: checks before it is made, the body read within bounds, every failure a reason."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import aiohttp
from yarl import URL

from curate.fetch.address import PrivateAddressError, is_allowed, literal_fault

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES = 1 << 16
_MOST_URL_CHARACTERS = 8192


@dataclass(frozen=True)
class Answer:
    """What a request, or a chain of them, came to."""

    outcome: bytes | str
    """The body, or the reason why there is none."""
    retry_after_s: float = 0.0

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed in a moment."""
        if isinstance(self.outcome, bytes):
            return False
        return self.outcome in {"connection", "http_429"} or self.outcome.startswith("http_5")


def parse_url(url: str) -> URL | None:
    """Return a URL without its fragment; None where it is not one, or holds credentials or control characters."""
    text = url.strip()
    if not text.isprintable() or len(text) > _MOST_URL_CHARACTERS:
        return None
    try:
        parsed = URL(text).with_fragment(None)
    except ValueError:
        return None
    return None if parsed.user or parsed.password else parsed


def refusal(url: URL, allowed: frozenset[tuple[str, int | None]]) -> str | None:
    """Return why no request goes to this URL, before any name is resolved."""
    if url.scheme not in {"http", "https"}:
        return "scheme" if url.scheme else "bad_url"
    if not url.raw_host:
        return "bad_url"
    return None if is_allowed(url.raw_host, url.port, allowed) else literal_fault(url.raw_host)


async def request(session: aiohttp.ClientSession, url: URL, max_bytes: int) -> Answer | URL:
    """Make one request; return its answer, the body read up to `max_bytes`, or the URL it redirects to."""
    try:
        async with session.get(url, allow_redirects=False) as response:
            return await _answer(response, max_bytes)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(_reason(error))


async def _answer(response: aiohttp.ClientResponse, max_bytes: int) -> Answer | URL:
    if response.status in _REDIRECTS and "Location" in response.headers:
        target = parse_url(response.headers["Location"])
        return Answer("bad_url") if target is None else response.url.join(target)
    if response.status != HTTPStatus.OK:
        return Answer(f"http_{response.status}", retry_after_s=_retry_after_s(response))
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        return Answer("content_encoding")
    if (response.content_length or 0) > max_bytes:
        return Answer("too_large")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            return Answer("too_large")
    return Answer(bytes(body))


def _retry_after_s(response: aiohttp.ClientResponse) -> float:
    """Return the seconds that a server asks to wait, from a number or from a date against its own clock."""
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        until, now = parsedate_to_datetime(asked), parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _reason(error: Exception) -> str:
    if isinstance(error, PrivateAddressError) or isinstance(error.__cause__, PrivateAddressError):
        return "private_address"
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    return "connection"


_REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientResponseError, "bad_response"),
    ((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError), "connection"),
    ((aiohttp.InvalidURL, ValueError), "bad_url"),
)
