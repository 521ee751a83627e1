"""Evaluation sets in every format, and the one error that each fault gives."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from curate.dedupe.evaluation import Item, TextSet, checked_sha256, read_set
from curate.errors import InputError

ROWS = [{"q": "What is it?", "a": ["A cat", "a dog"], "k": 7}, {"q": "Who?", "a": [], "k": 8}]
ITEMS = [Item("0", ("What is it?",), ("A cat", "a dog")), Item("1", ("Who?",), ())]


def written(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def jsonl(rows=ROWS):
    return "\n".join(map(json.dumps, rows)) + "\n"


def parquet(path):
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("s.jsonl", lambda _: jsonl()),
        ("s.jsonl", lambda _: "\ufeff" + jsonl().replace("\n", "\r\n\r\n")),
        ("s.jsonl.gz", lambda _: gzip.compress(jsonl().encode())),
        ("s.json", lambda _: json.dumps(ROWS)),
        ("s.parquet", parquet),
    ],
)
def test_items_of_files_with_lists(tmp_path, name, data):
    path = written(tmp_path / name, data(tmp_path / name))
    assert read_set("s", TextSet(path=path, query="q", label="a")) == ITEMS


@pytest.mark.parametrize(
    ("name", "text"), [("s.csv", 'q,a,k\n"What, is\nit?",A cat,7\nWho?,,8\n'), ("s.tsv", 'q\ta\tk\n"Who\tA cat\t7\n')]
)
def test_items_of_delimited_files(tmp_path, name, text):
    items = read_set("s", TextSet(path=written(tmp_path / name, text), query="q", label="a", id="k"))
    expected = Item("7", ("What, is\nit?",) if name == "s.csv" else ('"Who',), ("A cat",))
    assert items[0] == expected


def test_a_text_file_has_an_item_a_line(tmp_path):
    path = written(tmp_path / "s.txt", "one\n\n  \ntwo\n")
    assert read_set("s", TextSet(path=path)) == [Item("0", ("one",), ()), Item("1", ("two",), ())]


def test_columns_are_texts_for_themselves_and_parts_have_dots(tmp_path):
    path = written(tmp_path / "s.jsonl", jsonl([{"c": {"text": ["x", "y"], "n": 1}, "p": "z", "a.b": "w"}]))
    assert read_set("s", TextSet(path=path, columns=("c.text", "p", "a.b")))[0].queries == ("x", "y", "z", "w")


def test_files_of_folders_are_numbered_on_in_order(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("deep/b.jsonl", "a.jsonl", "z.md"):
        written(tmp_path / name, jsonl())
    items = read_set("s", TextSet(path=str(tmp_path), query="q"))
    assert [item.id for item in items] == ["0", "1", "2", "3"]
    one = TextSet(path=(str(tmp_path / "a.jsonl"), str(tmp_path / "deep/b.jsonl")), query="q")
    assert read_set("s", one) == items
    assert checked_sha256("s", one) == checked_sha256("s", TextSet(path=str(tmp_path), query="q"))


def test_hash_follows_the_content_and_not_the_place(tmp_path):
    first, second = (TextSet(path=written(tmp_path / n, jsonl()), query="q") for n in ("a.jsonl", "b.jsonl"))
    before = checked_sha256("s", first)
    assert checked_sha256("s", second) == before
    written(tmp_path / "a.jsonl", jsonl().replace("Who", "why"))
    assert checked_sha256("s", first) != before


FAULTS = [
    ("s.jsonl", None, {"query": "q"}, "no such file"),
    ("s.jsonl", "", {"query": "q"}, "no items in it"),
    ("s.jsonl", "{}\nnope\n", {"query": "q"}, "cannot be read as jsonl: line 2 is not JSON"),
    ("s.jsonl", "[1]\n", {"query": "q"}, "line 1 is not an object"),
    ("s.jsonl", b"\xff\xfe\x00", {"query": "q"}, "cannot be read as jsonl"),
    ("s.json", "{}", {"query": "q"}, "it is not a list of objects"),
    ("s.parquet", "no parquet", {"query": "q"}, "cannot be read as parquet"),
    ("s.jsonl.gz", "no gzip", {"query": "q"}, "cannot be read as jsonl.gz"),
    ("s.jsonl", jsonl(), {"query": "qq"}, "an item has no 'qq'. Did you mean 'q'? It has: q, a, k"),
    ("s.jsonl", jsonl(), {}, "say which columns hold"),
    ("s.jsonl", jsonl([{"q": {"t": "x"}}]), {"query": "q"}, "'q' holds neither text nor a list"),
    ("s.jsonl", jsonl([{"q": "  "}]), {"query": "q"}, "no item has any text"),
    ("s.csv", "a,b\n", {"query": "a"}, "no items in it"),
    ("s", None, {}, "no such folder, and no file whose name ends in one of .parquet"),
]


@pytest.mark.parametrize(("name", "data", "columns", "message"), FAULTS, ids=[f"{f[0]}: {f[3]}" for f in FAULTS])
def test_fault_is_one_clear_error(tmp_path, name, data, columns, message):
    if data is not None:
        written(tmp_path / name, data)
    with pytest.raises(InputError) as caught:
        checked_sha256("s", TextSet(path=str(tmp_path / name), **columns))
    assert message in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="the folder holds no file whose name ends in"):
        checked_sha256("s", TextSet(path=str(tmp_path)))


def test_columns_are_named_in_one_way():
    with pytest.raises(ValidationError, match="either `columns`"):
        TextSet(path="x.jsonl", columns=("a",), query="b")
