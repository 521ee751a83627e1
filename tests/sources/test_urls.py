"""Lists in every format: the same rows come out, a bad row costs itself, a bad file is one clear error."""

import gzip
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from curate.errors import InputError
from curate.sample import column
from curate.sources.rows import BATCH_ROWS, FAILED
from curate.sources.urls import Urls

SCHEMA = pa.schema([column("url"), column("caption"), pa.field(FAILED, pa.string())])

ROWS = [
    {"url": "http://a.example/1.jpg", "caption": "one, two"},
    {"url": "http://a.example/2.jpg", "caption": "N/A"},
    {"url": "http://a.example/3.jpg", "caption": "Zürich 東京"},
]


def scanned(path, **settings):
    tables = list(Urls(path=str(path), **settings).scan())
    for table in tables:
        assert table.schema == SCHEMA
    return [tuple(row.values()) for row in pa.concat_tables(tables).to_pylist()]


def good(rows=ROWS):
    return [(row["url"], row.get("caption"), None) for row in rows]


def write(path, text):
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def as_csv(rows):
    return "id,url,caption\r\n" + "".join(f'{i},{r["url"]},"{r["caption"]}"\r\n' for i, r in enumerate(rows))


def as_tsv(rows):
    return "caption\turl\n" + "".join(f"{r['caption']}\t{r['url']}\n" for r in rows)


def as_jsonl(rows):
    return "".join(json.dumps(r) + "\n" for r in rows)


@pytest.mark.parametrize(
    ("name", "text"),
    [("l.csv", as_csv(ROWS)), ("l.tsv", as_tsv(ROWS)), ("l.jsonl", as_jsonl(ROWS))],
)
@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_text_formats(tmp_path, name, text, end, bom):
    assert scanned(write(tmp_path / (name + end), bom + text.encode())) == good()


@pytest.mark.parametrize("end", ["", ".gz"])
def test_txt(tmp_path, end):
    text = "\r\n".join([*(row["url"] for row in ROWS), "", "   ", ""])
    assert scanned(write(tmp_path / f"l.txt{end}", b"\xef\xbb\xbf" + text.encode())) == [
        (row["url"], None, None) for row in ROWS
    ]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet(tmp_path, kind):
    columns = {name: pa.array([row[name] for row in ROWS], pa.string()).cast(kind) for name in ("caption", "url")}
    pq.write_table(pa.table({"id": [1, 2, 3], **columns}), tmp_path / "l.parquet")
    assert scanned(tmp_path / "l.parquet") == good()


def test_other_column_names_and_no_captions(tmp_path):
    path = write(tmp_path / "l.csv", "link,text\nhttp://a/1,x\n")
    assert scanned(path, url="link", caption="text") == [("http://a/1", "x", None)]
    assert scanned(path, url="link", caption=None) == [("http://a/1", None, None)]
    assert scanned(path, url="link", caption="link") == [("http://a/1", "http://a/1", None)]


def test_a_row_without_url_fails_and_keeps_its_caption(tmp_path):
    expected = [(None, "x", "no_url"), (None, "y", "no_url"), ("http://a/1", "z", None)]
    assert scanned(write(tmp_path / "l.csv", "url,caption\n,x\n  ,y\nhttp://a/1,z\n")) == expected
    rows = [{"caption": "x"}, {"url": None, "caption": "y"}, {"url": "http://a/1", "caption": "z"}]
    assert scanned(write(tmp_path / "l.jsonl", as_jsonl(rows))) == expected
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA.remove(2)), tmp_path / "l.parquet")
    assert scanned(tmp_path / "l.parquet") == expected


def test_a_bad_line_of_jsonl_costs_itself(tmp_path):
    bad = [
        b"{",
        b"[1]",
        b'"text"',
        b'{"url": 5}',
        b'{"url": "http://a", "caption": ["x"]}',
        b'{"url": "http://a/\\ud800"}',
        b'{"url": "\xff"}',
        b"[" * 100_000,
        b"1" * 5000,
        b'{"url": "' + b"a" * (3 << 20) + b'"}',
    ]
    first, last = (json.dumps(row).encode() for row in (ROWS[0], ROWS[1]))
    for line in bad:
        path = write(tmp_path / "l.jsonl", b"\n".join([first, line, last]))
        assert scanned(path) == [*good(ROWS[:1]), (None, None, "bad_row"), *good(ROWS[1:2])], line[:40]


def test_a_line_too_long_at_the_end(tmp_path):
    path = write(tmp_path / "l.txt", b"http://a/1\n" + b"a" * (3 << 20))
    assert scanned(path) == [("http://a/1", None, None), (None, None, "bad_row")]


@pytest.mark.parametrize("name", ["l.csv", "l.tsv"])
def test_rows_with_a_wrong_number_of_fields_come_last(tmp_path, name):
    mark = "," if name == "l.csv" else "\t"
    lines = ["url,caption", "http://a/1,x", "http://a/2", "http://a/3,y,z", "http://a/4,w"]
    path = write(tmp_path / name, "\n".join(lines).replace(",", mark))
    bad = (None, None, "bad_row")
    assert scanned(path) == [("http://a/1", "x", None), ("http://a/4", "w", None), bad, bad]


@pytest.mark.parametrize("name", ["l.csv", "l.tsv", "l.jsonl", "l.txt", "l.parquet"])
def test_a_value_that_is_not_utf8_costs_its_row(tmp_path, name):
    path = tmp_path / name
    if name == "l.parquet":
        raw = pa.array([b"http://a/1", b"http://a/\xff", b"http://a/3"], pa.binary())
        pq.write_table(pa.table({"url": raw.view(pa.string())}), path)
    elif name == "l.jsonl":
        write(path, b'{"url": "http://a/1"}\n{"url": "http://a/\xff"}\n{"url": "http://a/3"}\n')
    else:
        head = b"" if name == "l.txt" else b"url\n"
        write(path, head + b"http://a/1\nhttp://a/\xff\nhttp://a/3\n")
    expected = [("http://a/1", None, None), (None, None, "bad_row"), ("http://a/3", None, None)]
    assert scanned(path, caption=None) == expected


def test_quotation_marks(tmp_path):
    csv = 'url,caption\nhttp://a/1,"say ""hi""\nand go"\nhttp://a/2,b\n'
    expected = [("http://a/1", 'say "hi"\nand go', None), ("http://a/2", "b", None)]
    assert scanned(write(tmp_path / "l.csv", csv)) == expected
    tsv = 'url\tcaption\nhttp://a/1\t"open\nhttp://a/2\t5" nail\n'
    assert scanned(write(tmp_path / "l.tsv", tsv)) == [("http://a/1", '"open', None), ("http://a/2", '5" nail', None)]


def test_a_folder_and_a_glob_in_sorted_order(tmp_path):
    write(tmp_path / "b.txt", "http://b\n")
    write(tmp_path / "a.csv", "url,caption\nhttp://a,x\n")
    write(tmp_path / "c.txt.gz", "http://c\n")
    write(tmp_path / "_SUCCESS", "")
    write(tmp_path / ".hidden.txt", "http://no\n")
    write(tmp_path / "notes.md", "no")
    assert [row[0] for row in scanned(tmp_path)] == ["http://a", "http://b", "http://c"]
    assert [row[0] for row in scanned(tmp_path / "*.txt*")] == ["http://b", "http://c"]
    assert [row[0] for row in scanned(f"file://{tmp_path}/b.txt")] == ["http://b"]


@pytest.mark.parametrize("name", ["l.parquet", "l.csv", "l.jsonl"])
def test_many_rows_come_in_bounded_tables_in_order(tmp_path, name):
    rows = [{"url": f"http://a/{i}", "caption": "c" * 300} for i in range(3 * BATCH_ROWS)]
    if name == "l.parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    else:
        write(tmp_path / name, as_csv(rows) if name == "l.csv" else as_jsonl(rows))
    tables = list(Urls(path=str(tmp_path / name)).scan())
    if name != "l.csv":  # whose blocks are bounded in bytes
        assert max(table.num_rows for table in tables) <= BATCH_ROWS
    assert pa.concat_tables(tables)["url"].to_pylist() == [row["url"] for row in rows]


def test_more_broken_rows_than_a_table_holds(tmp_path):
    path = write(tmp_path / "l.csv", "url,caption\n" + "x\n" * (BATCH_ROWS + 5))
    tables = list(Urls(path=str(path)).scan())
    assert [table.num_rows for table in tables if table.num_rows] == [BATCH_ROWS, 5]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("l.csv", "url,captoin\nhttp://a,x\n", "no column 'caption'. Did you mean 'captoin'? It has: url, captoin"),
        ("l.tsv", "URL\tcaption\nhttp://a\tx\n", "no column 'url'"),
        ("l.jsonl", '{"link": 1, "caption": "x"}\n', "no column 'url'. It has: link, caption"),
        ("l.jsonl", "url,caption\nhttp://a,x\n", "none of its first lines is a JSON object"),
        ("l.csv", "url,url,caption\na,b,c\n", "column 'url' is there 2 times"),
        ("l.parquet", "url,caption\n", "expected Parquet by its name, but it looks like text"),
        ("l.parquet", b"PAR1" + bytes(50), "looks like Parquet that is cut or damaged"),
        ("l.csv", b"PAR1" + bytes(50), "expected csv by its name, but it looks like Parquet"),
        ("l.jsonl", gzip.compress(b"{}"), "expected jsonl by its name, but it looks like gzip"),
        ("l.txt", "<!doctype html>", "looks like HTML or XML"),
        ("l.txt", "http://a".encode("utf-16"), "looks like UTF-16 text"),
        ("l.txt", b"abc\0def", "looks like binary data"),
        ("l.csv", "", "looks like an empty file"),
        ("l.parquet", "", "looks like an empty file"),
        ("l.csv", "url,caption\n", "no rows in it"),
        ("l.txt", "\n\n", "no rows in it"),
        ("l.xlsx", "x", "cannot tell its format"),
        ("l.csv", 'url,caption\nhttp://a,"open' + "x" * (20 << 20), "longer than 2 MiB, or a quotation mark"),
    ],
)
def test_bad_files(tmp_path, name, text, says):
    path = write(tmp_path / name, text)
    with pytest.raises(InputError, match=str(tmp_path)) as error:
        scanned(path)
    assert says in str(error.value)


def test_damaged_gzip(tmp_path):
    whole = gzip.compress(as_jsonl(ROWS * 1000).encode())
    for data in (b"no gzip at all", whole[: len(whole) // 2]):
        (tmp_path / "l.jsonl.gz").write_bytes(data)
        with pytest.raises(InputError, match="not gzip, or damaged"):
            scanned(tmp_path / "l.jsonl.gz")
        (tmp_path / "l.csv.gz").write_bytes(data)
        with pytest.raises(InputError, match="not gzip, or damaged"):
            scanned(tmp_path / "l.csv.gz")


def test_parquet_with_a_column_that_is_no_text(tmp_path):
    pq.write_table(pa.table({"url": [1], "caption": ["x"]}), tmp_path / "l.parquet")
    with pytest.raises(InputError, match="column 'url' holds int64, not text"):
        scanned(tmp_path / "l.parquet")


def test_nothing_there(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path / "*.csv"):
        with pytest.raises(InputError, match="no such file or folder"):
            scanned(path)
    with pytest.raises(InputError, match="holds no file that ends in"):
        scanned(tmp_path)
    with pytest.raises(InputError, match="cannot be opened"):
        scanned("nosuch://bucket/l.csv")


def test_the_snapshot_follows_content_and_names(tmp_path):
    source = Urls(path=str(tmp_path))
    path = write(tmp_path / "a.txt", "http://a\n")
    before = source.snapshot()
    assert source.snapshot() == before
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))
    later = source.snapshot()
    assert later != before
    path.rename(tmp_path / "b.txt")
    assert source.snapshot() != later


def test_settings():
    assert Urls(path="x").key_columns() == ("url", "caption")
    assert Urls(path="x").load() is None
    for wrong in ({}, {"path": ""}, {"path": "x", "url": ""}, {"path": "x", "format": "csv"}):
        with pytest.raises(ValidationError):
            Urls(**wrong)
