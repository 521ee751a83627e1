"""Web archives written by FastWARC, which the readers under test know nothing of."""

import gzip
import io

import pytest
import zstandard
from fastwarc.warc import WarcRecord, WarcRecordType

PAGE = "<html><head><title>T</title></head><body><nav><a href='/'>Menu here</a></nav><main>{}</main></body></html>"
PARAGRAPH = "<p>Paragraph {} tells about herons, which stand in shallow water and wait for fish to come by.</p>"
HTML = "text/html; charset=utf-8"
CONVERSION, RESOURCE, RESPONSE = WarcRecordType.conversion, WarcRecordType.resource, WarcRecordType.response


def web_page(number, paragraphs=3):
    return PAGE.format("".join(PARAGRAPH.format(f"{number}-{i}") for i in range(paragraphs)))


def http(body, kind=HTML, status=200, **headers):
    """An answer of a server."""
    body = body if isinstance(body, bytes) else body.encode()
    lines = [f"HTTP/1.1 {status} X", *([f"Content-Type: {kind}"] if kind else [])]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def record(number, block, kind=RESPONSE, content_type="application/http; msgtype=response", **headers):
    """The bytes of one record."""
    made = WarcRecord()
    made.init_headers(kind)
    made.headers["WARC-Record-ID"] = f"<urn:uuid:{number:08x}-0000-4000-8000-000000000000>"
    made.headers["WARC-Date"] = f"2024-02-03T04:05:{number % 60:02d}Z"
    made.headers["WARC-Target-URI"] = f"http://a.example/{number}"
    made.headers["Content-Type"] = content_type
    for name, value in headers.items():
        made.headers[name.replace("_", "-")] = value
    made.set_bytes_content(block if isinstance(block, bytes) else block.encode())
    stream = io.BytesIO()
    made.write(stream)
    return stream.getvalue()


def packed(records, end):
    """Records as a file whose name ends so has them."""
    checked = zstandard.ZstdCompressor(write_checksum=True)
    pack = {".gz": gzip.compress, ".zst": checked.compress, "": bytes}[end]
    return b"".join(map(pack, records))


ENDS = pytest.mark.parametrize("end", ["", ".gz", ".zst"])
