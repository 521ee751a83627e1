"""Partitions: where one ends depends on the rows alone, whatever tables a source hands over, and bytes bound them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.run.ingest import list_source, partitions
from curate.run.layout import Run
from curate.sample import sample_key
from curate.sources.documents import Documents


class Handed(Documents):
    """Documents that come in tables of the given sizes."""

    texts: tuple[str | None, ...] = ()
    cuts: tuple[int, ...] = ()

    def scan(self):
        rows = [dict.fromkeys(["document", "url", "date", "collection"]) | {"text": text} for text in self.texts]
        whole = pa.Table.from_pylist(rows, pa.schema(self.writes))
        for start, stop in zip((0, *self.cuts), (*self.cuts, len(self.texts)), strict=True):
            yield whole.slice(start, stop - start)


def sizes(texts, cuts=(), **options):
    return [[len(t or "") for t in table["text"].to_pylist()] for table in
            partitions(Handed(path="x", texts=texts, cuts=cuts, **options))]  # fmt: skip


def test_rows_and_bytes_bound_a_partition():
    texts = ["x" * n for n in (4, 4, 4, 30, 1, 9, 0, 1, 5, 5, 0)]
    assert sizes(texts, partition_size=3, partition_bytes=10) == [[4, 4], [4], [30], [1, 9, 0], [1, 5], [5, 0]]
    assert sizes(texts, partition_size=100) == [[4, 4, 4, 30, 1, 9, 0, 1, 5, 5, 0]]
    assert sizes(["ж" * 3, None, "ж" * 2], partition_bytes=6) == [[3, 0], [2]]


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_the_tables_of_the_source_do_not_matter(data):
    texts = tuple("x" * n for n in data.draw(st.lists(st.integers(0, 20), max_size=40)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=5)))
    options = {"partition_size": data.draw(st.integers(1, 9)), "partition_bytes": data.draw(st.integers(1, 40))}
    cut = sizes(texts, tuple(cuts), **options)
    assert cut == sizes(texts, **options)
    assert [n for part in cut for n in part] == [len(text) for text in texts]
    assert all(len(part) <= options["partition_size"] for part in cut)
    assert all(sum(part) <= options["partition_bytes"] or len(part) == 1 for part in cut)


@pytest.mark.parametrize("secret", [None, "known"])
def test_the_list_is_written_with_keys_and_nothing_else_is_left(tmp_path, monkeypatch, secret):
    if secret:
        monkeypatch.setenv("CURATE_KEY_SECRET", secret)
    run = Run.at(str(tmp_path / "run"))
    counts = list_source(Handed(path="x", texts=("a", "b", None, "a"), partition_size=3), run)
    assert counts == {"rows": 4, "partitions": 2}
    assert run.work.names() == ["source"]
    assert run.work.names("source") == ["done.json", "part-00000.parquet", "part-00001.parquet"]
    tables = [pq.read_table(run.work.path(f"source/part-0000{i}.parquet")) for i in (0, 1)]
    assert tables[0].column_names[:2] == ["row", "key"]
    keys = [key for table in tables for key in table["key"].to_pylist()]
    assert keys[0] == keys[3]
    assert len(set(keys)) == 3
    assert sample_key((None, None, "a")) not in keys


def test_without_a_secret_keys_follow_the_whole_list(tmp_path):
    keys = []
    for number, texts in enumerate((("a", "b"), ("a", "b"), ("a", "c"))):
        run = Run.at(str(tmp_path / str(number)))
        list_source(Handed(path="x", texts=texts), run)
        keys.append(pq.read_table(run.work.path("source/part-00000.parquet"))["key"].to_pylist())
    assert keys[0] == keys[1]
    assert keys[0][0] != keys[2][0]
