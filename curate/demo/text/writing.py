"""The pages as files that people have: a web archive, and jsonl. Both come with what is wrong in real ones."""

import gzip
import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from curate.demo.text.pages import Page
from curate.sources.warc.page import page as text_of
from curate.sources.warc.records import Record

ARCHIVE, LINES = "help-00000.warc.gz", "guide.jsonl.gz"
EXPECTED_WARC = {
    ("warc", "damaged"): 1,
    ("read_warc", "http_status"): 1,
    ("read_warc", "not_a_page"): 1,
    ("read_warc", "bad_http"): 1,
    ("read_warc", "tangled_html"): 1,
}
EXPECTED_LINES = {("documents", "bad_row"): 2, ("documents", "no_text"): 1, ("repeated_rows", "repeated_row"): 1}
"""What each planted row meets, by stage and reason."""
_QUESTION_WORDS = 20
_DATE = "2024-02-03T04:05:06Z"
_OK = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


def write_archive(folder: Path, pages: Iterable[Page]) -> int:
    """Write the pages as crawlers do, a gzip member a record, with five bad ones among them; return how many rows."""
    parts = [_member(page.url, _OK.encode() + page.html) for page in pages]
    bad = (
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<html>Nothing here</html>",
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG",
        b"<html>no answer of a server</html>",
        _OK.encode() + b"<div>" * 50_000,
        parts[0],
    )
    members = [_member(f"https://example.org/{number}", block) for number, block in enumerate(bad)]
    members[-1] = members[-1][: len(members[-1]) // 2]  # in the middle of a file: what comes after it is read
    middle = len(parts) // 2
    (folder / ARCHIVE).write_bytes(b"".join([_info(), *parts[:middle], *members, *parts[middle:]]))
    return len(parts) + len(bad)


def write_lines(folder: Path, documents: Iterable[dict[str, str]]) -> int:
    """Write documents a line each, with four bad lines among them; return how many rows."""
    rows = [json.dumps(document, ensure_ascii=False).encode() for document in documents]
    bad = [b'{"text": "cut', b'{"text": 7}', b'{"id": "of no text", "text": null}', rows[0]]
    middle = len(rows) // 2
    lines = [*rows[:middle], *bad, *rows[middle:]]
    (folder / LINES).write_bytes(gzip.compress(b"\n".join(lines) + b"\n", mtime=0))
    return len(lines)


def document(page: Page) -> dict[str, str] | None:
    """Return a page as a document: its main text, taken out of the HTML as the source `warc` does; None without any."""
    record = Record(0, 0, {"content-type": "text/html; charset=utf-8"}, page.html)
    text = text_of(record, len(page.html), main_content=True).text
    if text is None:
        return None
    return {"id": urlsplit(page.url).path, "url": page.url, "text": text, "date": _DATE, "source": page.collection}


def write_questions(path: Path, documents: Iterable[dict[str, str]]) -> None:
    """Write sentences of some documents as if they were an evaluation set: what holds them is to be dropped."""
    words = (document["text"].split() for document in documents)
    middles = (w[len(w) // 2 :][:_QUESTION_WORDS] for w in words)
    items = [{"question": " ".join(middle)} for middle in middles if len(middle) == _QUESTION_WORDS]
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))


def _info() -> bytes:
    return _packed("warcinfo", "", "application/warc-fields", b"software: curate\r\n")


def _member(url: str, block: bytes) -> bytes:
    return _packed("response", url, "application/http; msgtype=response", block)


def _packed(kind: str, url: str, content_type: str, block: bytes) -> bytes:
    record_id = uuid.uuid5(uuid.NAMESPACE_URL, url)
    head = [
        "WARC/1.0", f"WARC-Type: {kind}", f"WARC-Record-ID: <urn:uuid:{record_id}>", f"WARC-Date: {_DATE}",
        *([f"WARC-Target-URI: {url}"] if url else []), f"Content-Type: {content_type}", f"Content-Length: {len(block)}",
    ]  # fmt: skip
    return gzip.compress("\r\n".join([*head, "", ""]).encode() + block + b"\r\n\r\n", mtime=0)
