"""Documents are read from each format, and what is no document is told with its place."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import InputError
from curate.fit.documents import Side

TEXTS = ["one\ntwo", "three", "vier ü"]


def read(*files, column="text"):
    return list(Side("hq", tuple(map(str, files)), column).texts())


def test_formats(tmp_path):
    pq.write_table(pa.table({"said": [*TEXTS, None, "  "]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"said": pa.array(TEXTS, pa.large_string())}), tmp_path / "b.parquet")
    (tmp_path / "c.jsonl").write_text('{"said": "one\\ntwo"}\n\n{"said": null}\n{"said": "half \\ud800", "n": 1}\n')
    (tmp_path / "d.txt").write_text("a line\n\nanother")
    assert read(tmp_path / "a.parquet", tmp_path / "b.parquet", column="said") == TEXTS * 2
    assert read(tmp_path / "c.jsonl", column="said") == ["one\ntwo", "half ?"]
    assert [text.strip() for text in read(tmp_path / "d.txt")] == ["a line", "another"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b'{"text": "x"}\n{"text": ', "a.jsonl:2: is not JSON"),
        ("a.jsonl", b"[" * 100_000, "a.jsonl:1: is not JSON"),
        ("a.jsonl", b"[1]\n", "a.jsonl:1: is no object with a key 'text'"),
        ("a.jsonl", b'{"text": 3}\n', "a.jsonl:1: 'text' is no text but int"),
        ("a.jsonl", b'{"test": "x"}\n', "has no 'text'. Did you mean 'test'"),
        ("a.txt", b"fine\n\xff\n", "a.txt:2: is not UTF-8"),
        ("a.parquet", b"PAR1 no", "is no readable Parquet file"),
        ("a.csv", b"text\n", "is none of .jsonl, .parquet, .txt"),
    ],
)
def test_broken_files(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        read(tmp_path / name)


def test_parquet_without_the_column_or_with_another_type(tmp_path):
    pq.write_table(pa.table({"texts": ["x"], "n": [1]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"has no column 'text'\. Did you mean 'texts'"):
        read(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="column 'n' holds no text"):
        read(tmp_path / "a.parquet", column="n")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.jsonl")
