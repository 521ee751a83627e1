"""Documents in every format: the same rows come out, what cannot be used keeps its row and says why."""

import gzip
import json
import tracemalloc
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import InputError
from curate.sources.documents import Documents
from curate.sources.read_rows import kind_of
from curate.sources.rows import FAILED

NAMES = ["text", "document", "url", "date", "collection", FAILED]
ROWS = [
    {"id": "a1", "text": "One line.\nAnother, with a comma.", "url": "http://a.example/1", "date": "2024-01-02"},
    {"id": "a2", "text": "Grüße aus Zürich, 東京", "url": "http://a.example/2", "date": "2024-01-03T04:05:06Z"},
]
GOOD = [(r["text"], r["id"], r["url"], r["date"], None, None) for r in ROWS]


def scanned(path, **options):
    tables = list(Documents(path=str(path), **options).scan())
    assert all(table.schema.names == NAMES for table in tables)
    return [tuple(row.values()) for row in pa.concat_tables(tables).to_pylist()]


def jsonl(*rows):
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def csv(rows, mark=","):
    names = list(rows[0])
    quoted = [[f'"{row[name]}"' if mark == "," else row[name].replace("\n", " ") for name in names] for row in rows]
    return "\n".join(mark.join(line) for line in [names, *quoted]).encode() + b"\n"


def write(path, data):
    pack = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(data))
    return path


@pytest.mark.parametrize("end", ["", ".gz", ".zst"])
def test_every_format_gives_the_same_rows(tmp_path, end):
    assert scanned(write(tmp_path / f"d.jsonl{end}", jsonl(*ROWS))) == GOOD
    assert scanned(write(tmp_path / f"d.csv{end}", csv(ROWS))) == GOOD
    flat = [(row[0].replace("\n", " "), *row[1:]) for row in GOOD]
    assert scanned(write(tmp_path / f"d.tsv{end}", csv(ROWS, "\t"))) == flat
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "d.parquet")
    assert scanned(tmp_path / "d.parquet") == GOOD


def test_a_file_of_several_zstd_frames_is_read_to_its_end(tmp_path):
    path = tmp_path / "d.jsonl.zst"
    path.write_bytes(b"".join(zstandard.compress(jsonl(row)) for row in ROWS))
    assert scanned(path) == GOOD


@pytest.mark.parametrize("end", [".gz", ".zst"])
def test_compressed_data_that_is_cut_is_one_error(tmp_path, end):
    path = write(tmp_path / f"d.jsonl{end}", jsonl(*ROWS * 50))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="damaged: it cannot be decompressed to its end"):
        scanned(path)


def test_columns_that_are_named_must_be_there(tmp_path):
    path = write(tmp_path / "d.jsonl", jsonl({"body": "x", "source": "wiki"}))
    assert scanned(path, text="body", collection="source") == [("x", None, None, None, "wiki", None)]
    with pytest.raises(InputError, match="no column 'text'"):
        scanned(path)
    with pytest.raises(InputError, match=r"no column 'sauce'\. Did you mean 'source'\? It has: body, source"):
        scanned(path, text="body", collection="sauce")


def test_numbers_and_times_become_text(tmp_path):
    when = [datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), None]
    table = pa.table({"text": ["x", "y"], "id": [7, 8], "date": pa.array(when, pa.timestamp("s"))})
    pq.write_table(table, tmp_path / "d.parquet")
    assert [row[1:4:2] for row in scanned(tmp_path / "d.parquet")] == [("7", "2024-01-02T03:04:05"), ("8", None)]
    pq.write_table(pa.table({"text": ["x"], "date": [date(2024, 1, 2)]}), tmp_path / "d.parquet")
    assert scanned(tmp_path / "d.parquet")[0][3] == "2024-01-02"
    assert scanned(write(tmp_path / "d.jsonl", jsonl({"text": "x", "id": 7})))[0][1] == "7"
    pq.write_table(pa.table({"text": [1]}), tmp_path / "d.parquet")
    with pytest.raises(InputError, match="column 'text' holds int64, not text"):
        scanned(tmp_path / "d.parquet")


def test_what_cannot_be_used_keeps_its_row(tmp_path):
    path = write(
        tmp_path / "d.jsonl",
        jsonl(
            {"id": "null", "text": None},
            {"id": "none"},
            {"id": "empty", "text": ""},
            {"id": "blank", "text": " \n"},
            {"id": "number", "text": 5},
            {"id": "half", "text": "\ud800"},
            b'{"text": "\xff"}',
            b"[1]",
            {"id": True, "text": "x"},
            {"id": "long", "text": "x" * 101},
            {"id": "fits", "text": "ж" * 50},
        ),
    )
    expected = [
        (None, "null", "no_text"),
        (None, "none", "no_text"),
        ("", "empty", None),
        (" \n", "blank", None),
        *[(None, None, "bad_row")] * 5,
        (None, None, "too_large"),
        ("ж" * 50, "fits", None),
    ]
    assert [(row[0], row[1], row[-1]) for row in scanned(path, max_document_bytes=100)] == expected


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_document_of_50_mb_passes_and_a_longer_one_fails(tmp_path, kind):
    rows = [{"text": "short"}, {"text": "word " * 10_000_000}, {"text": "long " * 14_000_000}, {"text": "last"}]
    path = tmp_path / f"d.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_bytes(jsonl(*rows) if kind == "jsonl" else csv(rows))
    found = scanned(path)
    assert [(len(row[0] or ""), row[-1]) for row in found] == [
        (5, None),
        (50_000_000, None),
        (0, "too_large"),
        (4, None),
    ]


def test_a_line_without_end_takes_no_memory(tmp_path):
    path = write(tmp_path / "d.jsonl.gz", jsonl(ROWS[0]) + b"x" * 100_000_000 + b"\n" + jsonl(ROWS[1]))
    tracemalloc.start()
    try:
        found = scanned(path, max_document_bytes=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [row[-1] for row in found] == [None, "too_large", None]
    assert peak < 20_000_000


def test_batches_are_bounded_in_bytes(tmp_path):
    text = "x" * 1_000_000
    table = pa.table({"text": [text] * 100})
    pq.write_table(table, tmp_path / "d.parquet", use_dictionary=False)
    write(tmp_path / "d.jsonl", jsonl(*[{"text": text}] * 100))
    for path in (tmp_path / "d.parquet", tmp_path / "d.jsonl"):
        tables = list(Documents(path=str(path)).scan())
        assert sum(table.num_rows for table in tables) == 100
        assert max(table.nbytes for table in tables) < 40_000_000


def test_long_rows_of_csv_are_read_once_each(tmp_path):
    rows = [{"text": str(i) + " word" * (1_000_000 if i % 7 == 3 else 100)} for i in range(30)]
    path = write(tmp_path / "d.csv", csv(rows) + b"1,2\n")
    found = scanned(path)
    assert [row[0] for row in found] == [*(row["text"] for row in rows), None]
    assert found[-1][-1] == "bad_row"


def test_an_unclosed_quotation_mark_is_one_error(tmp_path):
    path = write(tmp_path / "d.csv", b'text\n"' + b"x" * 20_000_000)
    with pytest.raises(InputError, match="or a quotation mark is never closed"):
        scanned(path, max_document_bytes=3_000_000)


def test_a_file_of_another_kind_is_one_error(tmp_path):
    path = write(tmp_path / "d.docx", b"x")
    with pytest.raises(InputError, match="cannot tell its format"):
        scanned(path)
    (tmp_path / "d.jsonl").write_bytes(zstandard.compress(b"{}"))
    with pytest.raises(InputError, match="looks like zstd"):
        scanned(tmp_path / "d.jsonl")
    with pytest.raises(InputError, match="no rows"):
        scanned(write(tmp_path / "e.jsonl", b"\n\n"))


def test_kinds(tmp_path):
    write(tmp_path / "d.jsonl.zst", jsonl(*ROWS))
    source = Documents(path=str(tmp_path))
    assert [kind_of(file, (".jsonl.zst",)) for file in source._files()] == ["jsonl"]


NAMED = st.sampled_from(["text", "id", "url", "x"])
VALUES = st.none() | st.text(max_size=9) | st.integers()
LINES = st.lists(
    st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"").replace(b"\0", b""))  # a NUL is binary data
    | st.dictionaries(NAMED, VALUES, max_size=3).map(lambda row: json.dumps(row).encode()),
    max_size=20,
)


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(lines=LINES)
def test_any_lines_are_rows_or_one_error(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in [b'{"text": "first"}', *lines]))
    found = scanned(path)
    assert len(found) == 1 + sum(bool(line.strip()) for line in lines)
    assert all((row[0] is None) == (row[-1] is not None) for row in found)
