"""Planted rows point at what they say, and the server and the fetcher agree about it."""

import hashlib
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.demo.damage import pixel_bomb, truncated_jpeg
from curate.demo.faults import plant
from curate.demo.listing import spread, write_list
from curate.demo.planted import PLANTED
from curate.demo.server import serving
from curate.fetch.picture import check_picture
from curate.fetch.stage import Fetch


def test_each_row_is_another_sample(collection):
    faults = plant(collection)
    rows = [(f.url("http://127.0.0.1:8765"), f.caption) for f in faults]
    assert len(set(rows)) == len(rows)
    assert all(url.startswith("http://127.0.0.1:") for url, _ in rows)


def test_files_are_there_and_only_the_copies_are_equal(collection):
    faults = plant(collection)
    files = [f.path for f in faults if f.path.startswith("files/")]
    digests = Counter(
        hashlib.sha256((collection.folder / path.removeprefix("files/")).read_bytes()).hexdigest() for path in files
    )
    assert sorted(digests.values(), reverse=True)[:2] == [3, 1]


def test_planting_twice_gives_the_same_rows_and_bytes(collection):
    def state():
        return {p.name: p.read_bytes() for p in (collection.folder / "planted").iterdir()}

    first, bytes_first = plant(collection), state()
    assert (plant(collection), state()) == (first, bytes_first)


def test_every_planted_value_has_its_row(collection):
    edited = [f for f in plant(collection) if f.event == "edited"]
    assert [f.reason for f in edited] == [p.kind for p in PLANTED]
    assert all(p.value in f.caption for f, p in zip(edited, PLANTED, strict=True))


def test_damage_is_what_a_picture_check_says_it_is(collection):
    picture = collection.read(collection.pictures[0])
    assert check_picture(truncated_jpeg(picture), 1_000_000) == "truncated_image"
    bomb = pixel_bomb()
    assert check_picture(bomb, 50_000_000) == "too_many_pixels"
    assert len(bomb) < 100_000


@pytest.mark.slow
def test_fetching_the_planted_rows_gives_the_reasons_they_announce(collection):
    faults = plant(collection)
    with serving(collection.folder, port=0) as address:
        table = pa.table({"url": [f.url(address) for f in faults]})
        stage = Fetch(allow_hosts=(address.removeprefix("http://"),), timeout_s=3, max_bytes=3_000_000)
        failed = stage.open()(table).failed.to_pylist()
    expected = [f.reason if f.stage == "fetch" else None for f in faults]
    assert dict(zip(table["url"].to_pylist(), failed, strict=True)) == dict(
        zip(table["url"].to_pylist(), expected, strict=True)
    )


def test_the_list_holds_every_row_once_with_faults_spread_in_order(collection, tmp_path):
    faults = plant(collection)
    path = tmp_path / "urls.parquet"
    assert write_list(path, collection, faults, "http://127.0.0.1:8765") == len(collection.pictures) + len(faults)
    rows = pq.read_table(path)
    urls = rows["url"].to_pylist()
    assert [u for u in urls if u in {f.url("http://127.0.0.1:8765") for f in faults}] == [
        f.url("http://127.0.0.1:8765") for f in faults
    ]
    before = path.stat().st_mtime_ns
    write_list(path, collection, faults, "http://127.0.0.1:8765")
    assert path.stat().st_mtime_ns == before
    write_list(path, collection, faults, "http://127.0.0.1:8766")
    assert pq.read_table(path)["url"][0].as_py().startswith("http://127.0.0.1:8766/")


def test_spread_keeps_both_orders():
    many, few = [(str(i), "") for i in range(10)], [("a", ""), ("b", "")]
    assert [url for url, _ in spread(many, few)] == [*list("012"), "a", *list("3456"), "b", *list("789")]
    assert spread([], few) == few
    assert spread(many, []) == many
