"""What the demo plants among real rows meets the reasons that it expects."""

import json
from collections import Counter

import pyarrow as pa

from curate.demo.text.pages import Page
from curate.demo.text.writing import (
    EXPECTED_LINES,
    EXPECTED_WARC,
    document,
    write_archive,
    write_lines,
    write_questions,
)
from curate.sources.documents import Documents
from curate.sources.warc.source import Warc

WORDS = " ".join(f"word{i}" for i in range(30))
PAGES = [
    Page(f"https://a.example/{i}", "en", "manual", f"<html><body><p>Page {i}. {WORDS}</p></body></html>".encode())
    for i in range(20)
]


def reasons(found):
    return Counter(reason for reason in found if reason is not None)


def test_an_archive(tmp_path):
    assert write_archive(tmp_path, PAGES) == 25
    source = Warc(path=str(tmp_path))
    listed = pa.concat_tables(source.scan()).combine_chunks()
    assert len(listed) == 25
    edited = source.load().open()(listed.filter(pa.compute.is_null(listed["_failed"])))
    assert edited.columns["text"].null_count == 4
    met = {("warc", r): n for r, n in reasons(listed["_failed"].to_pylist()).items()}
    both = reasons([*edited.failed.to_pylist(), *edited.dropped.to_pylist()])
    assert met | {("read_warc", r): n for r, n in both.items()} == EXPECTED_WARC


def test_lines(tmp_path):
    documents = [document(page) for page in PAGES]
    assert documents[3]["text"] == f"Page 3. {WORDS}"
    assert write_lines(tmp_path, documents) == 24
    rows = pa.concat_tables(Documents(path=str(tmp_path), collection="source").scan()).to_pylist()
    met = {("documents", r): n for r, n in reasons(row["_failed"] for row in rows).items()}
    identities = [(row["document"], row["url"], row["text"]) for row in rows if not row["_failed"]]
    met["repeated_rows", "repeated_row"] = len(identities) - len(set(identities))
    assert met == EXPECTED_LINES
    assert rows[0]["collection"] == "manual"


def test_a_page_without_text_is_no_document():
    assert document(Page("https://a.example/", "en", "manual", b"<html><body></body></html>")) is None


def test_questions_are_words_from_the_middle(tmp_path):
    short = {"text": "too short"}
    write_questions(tmp_path / "q.jsonl", [document(PAGES[0]), short, {"text": " ".join(map(str, range(100)))}])
    asked = [json.loads(line)["question"] for line in (tmp_path / "q.jsonl").read_text().splitlines()]
    assert asked == [" ".join(map(str, range(50, 70)))]
