"""Pages of archives: listed cheaply, read by place, and each record ends as a text or with a reason."""

import gzip
import re
import zlib

import brotli
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import zstandard
from archives import CONVERSION, ENDS, HTML, RESOURCE, http, packed, record, web_page
from fastwarc.warc import WarcRecordType
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import InputError, IntegrityError
from curate.sources.rows import FAILED
from curate.sources.warc.page import page
from curate.sources.warc.read import ReadWarc
from curate.sources.warc.records import Record
from curate.sources.warc.source import Warc

GERMAN = "Grüße aus Köln: schöne Straßen, süße Äpfel, öffentliche Plätze und viele Wörter über das Wetter."


def listed(path, **options):
    return pa.concat_tables(Warc(path=str(path), **options).scan()).combine_chunks()


def read(path, rows=None, **options):
    """What comes of each record: its text, or the reason that it has none."""
    table = listed(path, **options)
    usable = table.filter(pc.is_null(table[FAILED])) if rows is None else table.take(pa.array(rows))
    edited = Warc(path=str(path), **options).load().open()(usable)
    return pc.coalesce(edited.failed, edited.dropped, edited.columns["text"].combine_chunks()).to_pylist()


def written(path, *records, end=".gz"):
    path = path / f"crawl-00001.warc{end}"
    path.write_bytes(packed(records, end))
    return path


@ENDS
def test_what_is_listed(tmp_path, end):
    info = record(1, "software: x", WarcRecordType.warcinfo, "application/warc-fields")
    asked = record(2, "GET / HTTP/1.1\r\n\r\n", WarcRecordType.request)
    told = record(5, "about", WarcRecordType.metadata, "application/warc-fields")
    path = written(tmp_path, info, asked, record(3, http(web_page(3))), told, record(6, "Text.", CONVERSION), end=end)
    found = listed(path).select(["url", "document", "date", "collection", FAILED]).to_pylist()
    assert [tuple(row.values()) for row in found] == [
        (f"http://a.example/{i}", f"urn:uuid:{i:08x}-0000-4000-8000-000000000000", f"2024-02-03T04:05:{i:02d}Z",
         "crawl-00001", None) for i in (3, 6)
    ]  # fmt: skip


@ENDS
def test_main_text_and_all_text(tmp_path, end):
    path = written(tmp_path, *(record(i, http(web_page(i))) for i in range(40)), end=end)
    texts = read(path)
    assert [re.match("Paragraph (.*)-0 tells", text)[1] for text in texts] == [str(i) for i in range(40)]
    assert not any("Menu here" in text for text in texts)
    assert all("Menu here" in text for text in read(path, main_content=False))
    some = [3, 4, 17, 5, 39, 0]
    assert read(path, rows=some) == [texts[i] for i in some]


def test_texts_stay_as_they_are(tmp_path):
    path = written(tmp_path, record(1, GERMAN, CONVERSION, "text/plain"), record(2, GERMAN, RESOURCE, "text/plain"))
    assert read(path) == [GERMAN, GERMAN]


def test_what_is_no_page_is_dropped(tmp_path):
    path = written(
        tmp_path,
        record(1, http(web_page(1), status=404)),
        record(2, http(b"\x89PNG", "image/png")),
        record(3, http("<html><script>var x;</script></html>")),
        record(4, http(web_page(4), kind=None)),
        record(5, http("{}", kind=None)),
        record(6, http(web_page(6), "image/gif"), WARC_Identified_Payload_Type="text/html"),
        record(7, " \n", CONVERSION, "text/plain"),
    )
    found = read(path)
    assert found[:3] == ["http_status", "not_a_page", "no_text"]
    assert found[3].startswith("Paragraph 4-0")
    assert found[4] == "not_a_page"
    assert found[5].startswith("Paragraph 6-0")
    assert found[6] == "no_text"


def test_what_is_damaged_fails(tmp_path):
    path = written(
        tmp_path,
        record(1, "no http at all"),
        record(2, http(b"\x1f\x8b\x08 no gzip", Content_Encoding="gzip")),
        record(3, http(gzip.compress(b"<p>" + b"x" * 60_000), Content_Encoding="gzip")),
        record(4, http("<div>" * 30_000)),
        record(5, http("<p " + "a=1 " * 30_000 + ">x")),
    )
    found = read(path, max_record_bytes=50_000)
    assert found == ["bad_http", "bad_encoding", "too_large"]
    assert read(path)[3:] == ["tangled_html", "tangled_html"]
    failed = listed(path, max_record_bytes=50_000)[FAILED].to_pylist()
    assert failed == [None, None, None, "too_large", "too_large"]


def chunked(body, size=77):
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def raw_deflate(body):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def test_what_http_wrapped_is_unwrapped(tmp_path):
    body = web_page(1).encode()
    path = written(
        tmp_path,
        record(1, http(gzip.compress(body), Content_Encoding="gzip")),
        record(2, http(zlib.compress(body), Content_Encoding="deflate")),
        record(3, http(raw_deflate(body), Content_Encoding="deflate")),
        record(4, http(brotli.compress(body), Content_Encoding="br")),
        record(5, http(chunked(body), Transfer_Encoding="chunked")),
        record(6, http(chunked(gzip.compress(body)), Transfer_Encoding="chunked", Content_Encoding="gzip")),
        record(7, http(body, Transfer_Encoding="chunked", Content_Encoding="gzip")),  # unwrapped by the crawler
    )
    assert set(read(path)) == {read(written(tmp_path, record(1, http(body))))[0]}


@pytest.mark.parametrize(
    ("name", "kind", "head"),
    [
        ("utf-8", "text/html", ""),
        ("cp1252", "text/html; charset=windows-1252", ""),
        ("cp1252", "text/html", '<meta charset="windows-1252">'),
        ("cp1252", "text/html", ""),
        ("cp1252", "text/html; charset=utf-8", ""),
        ("utf-16", "text/html", ""),
        ("utf-8-sig", "text/html", ""),
    ],
)
def test_encodings(tmp_path, name, kind, head):
    body = f"<html><head>{head}</head><body><p>{GERMAN}</p></body></html>".encode(name)
    assert read(written(tmp_path, record(1, http(body, kind)))) == [GERMAN]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("windows-1251", "Серая цапля стоит на мелководье и ждёт рыбу, которая проплывает мимо неё каждое утро."),
        ("shift_jis", "アオサギは浅い水の中に立って魚を待ちます。毎朝ここに来ます。"),
        ("gb18030", "苍鹭站在浅水中等待鱼游过来。每天早上它都会来到这里寻找食物。"),
        ("euc-kr", "왜가리는 얕은 물에 서서 물고기를 기다립니다. 매일 아침 이곳에 옵니다."),
    ],
)
def test_encodings_that_nobody_tells(tmp_path, name, text):
    body = f"<html><body><p>{text}</p><p>{text}</p></body></html>".encode(name)
    assert read(written(tmp_path, record(1, http(body, "text/html")))) == [f"{text}\n\n{text}"]


def test_a_changed_file_is_told(tmp_path):
    path = written(tmp_path, *(record(i, http(web_page(i))) for i in range(5)))
    table = listed(path)
    written(tmp_path, *(record(i, http(web_page(i, 9))) for i in range(5)))
    with pytest.raises(IntegrityError, match="has changed since it was listed"):
        Warc(path=str(path)).load().open()(table)


def test_names_and_beginnings(tmp_path):
    (tmp_path / "a.warc").write_bytes(gzip.compress(b"WARC/1.0"))
    with pytest.raises(InputError, match="by its name it is not compressed, but its first bytes are gzip"):
        listed(tmp_path)
    (tmp_path / "a.warc").write_bytes(b"")
    with pytest.raises(InputError, match="no record in it that may hold a page"):
        listed(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"WARC/1.0")
    with pytest.raises(InputError, match="cannot tell its format"):
        listed(tmp_path / "a.txt")


def test_a_record_without_id_fails(tmp_path):
    whole = record(1, http(web_page(1)))
    path = written(tmp_path, re.sub(rb"WARC-Record-ID: [^\r]*\r\n", b"", whole), whole)
    assert listed(path)[FAILED].to_pylist() == ["no_record_id", None]


def test_files_come_in_order_and_each_is_a_collection(tmp_path):
    for name in ("b.wet", "a.warc"):
        (tmp_path / name).write_bytes(record(1, "Text.", CONVERSION, "text/plain"))
    assert listed(tmp_path)["collection"].to_pylist() == ["a", "b"]
    assert Warc(path=str(tmp_path)).snapshot() != Warc(path=str(tmp_path / "a.warc")).snapshot()
    assert Warc(path="x").key_columns() == ("document", "url", "date")


MANY = [record(i, http(web_page(i))) for i in range(6)]


@settings(max_examples=80, derandomize=True, deadline=None, database=None)
@given(data=st.data(), end=st.sampled_from(["", ".gz", ".zst"]))
def test_any_bytes_are_rows_that_end_as_texts_or_with_reasons(tmp_path_factory, data, end):
    good = packed(MANY, end)
    start = data.draw(st.integers(0, len(good)))
    hurt = good[:start] + data.draw(st.binary(max_size=400)) + good[start + data.draw(st.integers(0, 400)) :]
    path = tmp_path_factory.getbasetemp() / f"any.warc{end}"
    path.write_bytes(hurt)
    try:
        found = listed(path)
    except InputError:
        assert start == 0
        return
    texts = read(path)
    assert len(texts) == found[FAILED].null_count
    assert all(texts)
    assert len(found) >= 6 - 4


BLOCKS = st.binary(max_size=200) | st.binary(max_size=200).map(http) | st.text(max_size=200).map(http)


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(
    block=BLOCKS,
    coding=st.sampled_from(["", "gzip", "deflate", "br", "br, gzip", "what"]),
    kind=st.sampled_from([HTML, "text/plain", "text/html; charset=nonsense", "text/plain; charset=utf-7", ""]),
)
def test_any_block_is_a_page_or_has_a_reason(block, coding, kind):
    block = block.replace(b"\r\n\r\n", f"\r\nContent-Encoding: {coding}\r\n\r\n".encode(), 1)
    for told in (kind, "application/http"):
        found = page(Record(0, 0, {"content-type": told}, block), 1000, main_content=False)
        assert [bool(found.text), bool(found.dropped), bool(found.failed)].count(True) == 1
        if found.text:
            found.text.encode()


def test_random_bytes_called_html_take_no_time(tmp_path):
    noise = np.random.default_rng(0).bytes(300_000)
    path = written(tmp_path, record(1, http(noise)), record(2, http(b"<" * 300_000)), record(3, http(b"<a" * 300_000)))
    assert len(read(path)) == 3


def test_what_needs_zstandard_says_so(tmp_path, monkeypatch):
    path = tmp_path / "a.warc.zst"
    path.write_bytes(zstandard.compress(b"WARC/1.0"))
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(InputError, match="pip install"):
        listed(path)


def test_the_reader_is_a_stage_of_its_own_settings():
    stage = Warc(path="x", main_content=False, max_record_bytes=7, max_failed_fraction=0.2).load()
    assert stage == ReadWarc(path="x", main_content=False, max_record_bytes=7, max_failed_fraction=0.2)
