"""From what a record holds to the text of a page."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from curate.sources.warc.records import Record

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_HTML = ("text/html", "application/xhtml+xml")
_GIVEN = {200, 203}
"""Status codes of answers that hold what was asked for."""

# The parser takes time in the square of these: 0.1 s for 2,000 elements in each other, 12 s for 20,000. Real pages
# have some dozens. Elements that end by themselves nest in no page.
_MOST_DEPTH = 2000
_MOST_ATTRIBUTES = 2000
_ENDS_BY_ITSELF = frozenset(
    ("area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option",
     "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr")
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """What comes of a record: a text, or why there is none."""

    text: str | None = None
    dropped: str | None = None
    """It is no page of text, and nothing is wrong with it."""
    failed: str | None = None
    """Something is wrong with it."""


@dataclass(frozen=True)
class _Answer:
    kind: str
    """Media type in lower case, without parameters; empty where none is told."""
    charset: str | None
    body: bytes


def page(record: Record, most: int, *, main_content: bool) -> Page:
    """Return the text of a good record.

    Args:
        record: a response or resource, whose page is taken apart, or a conversion, which is text already.
        most: bytes of a page after decompression.
        main_content: leave out menus, head and foot lines, advertisements and comments.
    """
    answer = _answer(record, most)
    if isinstance(answer, Page):
        return answer
    if answer.kind in _HTML or (not answer.kind and b"<html" in answer.body[:2048].lower()):
        return _of_html(answer, main_content=main_content)
    if answer.kind == "text/plain":
        text = _decoded(answer, html=False).strip()
        return Page(text) if text else Page(dropped="no_text")
    return Page(dropped="not_a_page")


def _answer(record: Record, most: int) -> _Answer | Page:
    """Take what a server sent apart, where there was one."""
    kind = record.headers.get("content-type", "")
    if not kind.lower().replace(" ", "").startswith("application/http"):
        return _Answer(_media_type(kind), _charset(kind), record.block)
    head = _HEADER_END.search(record.block)
    status = _STATUS.match(record.block)
    if head is None or status is None:
        return Page(failed="bad_http")
    if int(status[1]) not in _GIVEN:
        return Page(dropped="http_status")
    headers = _http_headers(record.block[: head.start()])
    body = _unpacked(record.block[head.end() :], headers, most)
    if isinstance(body, str):
        return Page(failed=body)
    told = headers.get("content-type", "")
    return _Answer(_media_type(record.headers.get("warc-identified-payload-type") or told), _charset(told), body)


def _http_headers(head: bytes) -> dict[str, str]:
    pairs = (line.decode("latin-1").partition(":") for line in head.split(b"\n")[1:])
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _media_type(told: str) -> str:
    return told.partition(";")[0].strip().lower()


def _charset(told: str) -> str | None:
    found = _CHARSET.search(told)
    return found[1] if found else None


def _unpacked(body: bytes, headers: Mapping[str, str], most: int) -> bytes | str:
    """Undo what HTTP wrapped a page in, or return why that fails.

    Crawlers often unwrap what they store and leave the headers as they were: then there is nothing to undo.
    """
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _joined(body)
    for coding in reversed(headers.get("content-encoding", "").lower().split(",")):
        unpack = _CODINGS.get(coding.strip())
        if unpack is not None and body.lstrip()[:1] != b"<":
            unpacked = unpack(body, most + 1)
            if unpacked is None:
                return "bad_encoding"
            body = unpacked
    return "too_large" if len(body) > most else body


_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]{0,256}\r?\n")


def _joined(body: bytes) -> bytes:
    """Join the chunks of a body (RFC 9112, 7.1), up to where one is cut; a body that has none is returned as it is."""
    parts: list[bytes] = []
    at = 0
    while found := _CHUNK.match(body, at):
        size = int(found[1], 16)
        if not size:
            break
        parts.append(body[found.end() : found.end() + size])
        at = found.end() + size
        at += 2 if body[at : at + 2] == b"\r\n" else 1
    return b"".join(parts) if parts else body


def _inflate(body: bytes, most: int, wbits: int) -> bytes | None:
    try:
        return zlib.decompressobj(wbits).decompress(body, most)
    except zlib.error:
        return None


def _gunzip(body: bytes, most: int) -> bytes | None:
    return _inflate(body, most, zlib.MAX_WBITS | 16)


def _undeflate(body: bytes, most: int) -> bytes | None:
    """Undo `deflate`, which half of all servers take for the bare format."""
    wrapped = _inflate(body, most, zlib.MAX_WBITS)
    return _inflate(body, most, -zlib.MAX_WBITS) if wrapped is None else wrapped


def _unbrotli(body: bytes, most: int) -> bytes | None:
    import brotli

    try:
        return bytes(brotli.Decompressor().process(body, output_buffer_limit=most))
    except brotli.error:
        return None


_CODINGS = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _undeflate, "br": _unbrotli}


def _of_html(answer: _Answer, *, main_content: bool) -> Page:
    from resiliparse.extract.html2text import extract_plain_text

    html = _decoded(answer, html=True)
    if _tangled(html):
        return Page(failed="tangled_html")
    text = extract_plain_text(
        html, main_content=main_content, alt_texts=False, comments=not main_content, form_fields=False, noscript=False
    ).strip()
    return Page(text) if text else Page(dropped="no_text")


def _decoded(answer: _Answer, *, html: bool) -> str:
    """Decode a page: by its byte order mark, by what the server said, by what the page says, or by what it looks like.

    The order is that of the HTML standard (12.2.3.2), but that an encoding is believed only if the bytes fit it.
    """
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding, map_encoding_to_html5

    body = answer.body
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    told = map_encoding_to_html5(answer.charset, fallback_utf8=False) if answer.charset else None
    for name in (told, "utf-8", detect_encoding(body, html5_compatible=False, from_html_meta=html)):
        try:
            if name is not None:
                return body.decode(name).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    return bytes_to_str(body, "utf-8", "replace", ())


def _tangled(html: str) -> bool:
    """Tell whether elements are in each other deeper, or have more attributes, than any page that a person wrote."""
    if html.count("<") + html.count("=") < min(_MOST_DEPTH, _MOST_ATTRIBUTES):
        return False
    depth = 0
    for closing, name, rest in _TAG.findall(html):
        if name.lower() not in _ENDS_BY_ITSELF and not rest.endswith("/"):
            depth = max(0, depth + (-1 if closing else 1))
        if depth > _MOST_DEPTH or len(rest.split()) > _MOST_ATTRIBUTES:
            return True
    return False
