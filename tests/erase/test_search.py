"""What a search finds, where, and what it says that it cannot."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from curate.erase import Asked, forget, selector
from curate.errors import InputError, IntegrityError, RunError
from curate.pii_match import pseudonym, value_match
from curate.recipe import parse_recipe
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.run.retry import purge
from curate.shards import ShardReader
from tests.fetch.sounds import encoded

from .runs import PICTURES, keys, picture, url

SECRET = "0123456789abcdef0123456789abcdef"


def quiet(_event):
    pass


def asked(*wanted, **how):
    return Asked(tuple(selector(kind, str(value)) for kind, value in wanted), **how)


def looked_for(run, *wanted, **how):
    return forget(run, asked(*wanted, **how), quiet, dry_run=True)


def saved(tmp_path, image, name="asked.jpg", quality=80):
    image.convert("RGB").save(tmp_path / name, quality=quality)
    return tmp_path / name


@pytest.mark.parametrize("number", [4, 40, 55])  # published, dropped as a copy, dropped by a threshold
def test_by_each_kind(run, tmp_path, number):
    (key,) = keys(run, number)
    path = tmp_path / "asked.jpg"
    path.write_bytes(picture(number if number != 40 else 10))
    assert list(looked_for(run, ("url", url(number))).new) == [key]
    assert list(looked_for(run, ("key", key)).new) == [key]
    assert list(looked_for(run, ("text", f"JANE  smith-{number:04d}")).new) == [key]
    assert key in looked_for(run, ("image", path)).new


def test_domains_of_real_addresses(run):
    for name in run.work.names("source"):
        if name.endswith(".parquet"):
            path = Path(run.work.path(f"source/{name}"))
            table = pq.read_table(path)
            urls = pa.array([f"https://cdn.Example.com/{u}" for u in table["url"].to_pylist()])
            pq.write_table(table.set_column(table.schema.get_field_index("url"), "url", urls), path)
    assert len(looked_for(run, ("domain", "example.com")).new) == PICTURES
    assert len(looked_for(run, ("url", f"HTTPS://CDN.example.com:443/{url(3)}#x")).new) == 1
    missed = looked_for(run, ("domain", "ample.com"))
    assert (missed.new, [s.given for s in missed.missed]) == ({}, ["ample.com"])


def test_an_exact_text_in_many_samples_and_none(run):
    everyone = looked_for(run, ("text", "quaint heirloom"), ("text", "not to be found"))
    assert len(everyone.new) == PICTURES
    assert [s.given for s in everyone.missed] == ["not to be found"]
    assert looked_for(run, ("text", "success")).new == {}  # a word of every sample's json, and of no caption


def test_pictures_that_were_changed(run, tmp_path):
    (key,) = keys(run, 30)
    with Image.open(io.BytesIO(picture(30, side=400))) as image:
        assert list(looked_for(run, ("image", saved(tmp_path, image, quality=40))).new) == [key]
        mirrored = saved(tmp_path, ImageOps.mirror(image))
    assert looked_for(run, ("image", mirrored)).new == {}
    assert list(looked_for(run, ("image", mirrored), any_turn=True).new) == [key]
    (tmp_path / "same.jpg").write_bytes(picture(30))
    assert list(looked_for(run, ("image", tmp_path / "same.jpg"), within=0).new) == [key]


def test_flat_pictures_and_no_pictures(run, tmp_path):
    flat = saved(tmp_path, Image.new("RGB", (64, 64), "white"))
    done = looked_for(run, ("image", flat))
    assert done.new == {}
    assert any("nearly flat" in note for note in done.notes)
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(InputError, match="is not a picture that can be read"):
        looked_for(run, ("image", tmp_path / "text.jpg"))


def test_a_redacted_value_is_found_by_its_keyed_hash_after_purging(run, monkeypatch):
    secret, value = SECRET.encode(), "jane.smith@example.com"
    (one, two) = keys(run, 4, 6)
    for name in run.folder.names("ledger"):
        path = Path(run.folder.path(f"ledger/{name}"))
        table = pq.read_table(path)
        hit = pc.and_(pc.is_in(table["key"], value_set=pa.array([one, two])), pc.equal(table["event"], "edited"))
        match = pc.if_else(hit, value_match(secret, value), table["match"])
        pq.write_table(table.set_column(table.schema.get_field_index("match"), "match", match), path)
    purge(run)
    there = Run.at(run.folder.url)
    blind = looked_for(there, ("text", value))
    assert blind.new == {}
    assert any("CURATE_PII_SECRET is not set" in note for note in blind.notes)
    monkeypatch.setenv("CURATE_PII_SECRET", SECRET)
    assert sorted(looked_for(there, ("text", " Jane.Smith@Example.com ")).new) == sorted([one, two])


def test_a_pseudonym_is_found_by_the_value_it_stands_for(run, monkeypatch):
    monkeypatch.setenv("CURATE_PII_SECRET", SECRET)
    path = Path(run.work.path("source/part-00000.parquet"))
    table = pq.read_table(path)
    stands = pseudonym(SECRET.encode(), "Jane Doe")
    texts = pa.array([f"by person_{stands}", *table["caption"].to_pylist()[1:]])
    pq.write_table(table.set_column(table.schema.get_field_index("caption"), "caption", texts), path)
    assert list(looked_for(run, ("text", "jane doe")).new) == keys(run, 0)


def test_a_second_request_takes_only_what_the_first_left(run):
    first = forget(run, asked(("url", url(1)), ("url", url(2)), request="one"), quiet)
    second = forget(run, asked(("url", url(2)), ("url", url(3)), request="two"), quiet)
    assert (len(first.new), list(second.new), second.already) == (2, keys(run, 3), keys(run, 2))
    table = run.folder.read_parquet("tombstones.parquet")
    assert table["request"].to_pylist() == ["one", "one", "two"]
    assert set(table["selector"].to_pylist()) == {"url"}
    same = forget(run, asked(("url", url(5)), request="two"), quiet)
    assert same.request == "two"
    assert len(ShardReader(run.folder.url)) == 48 - 4


def test_what_cannot_be_asked(run, tmp_path):
    with pytest.raises(InputError, match="It is published: give a reference number, never a name"):
        forget(run, asked(("url", url(1)), request="../../x"), quiet)
    with pytest.raises(RunError, match="no run here"):
        forget(Run.at(str(tmp_path / "none")), asked(("url", "a")), quiet)


def test_damaged_tombstones_stop_every_reader(run):
    forget(run, asked(("url", url(1))), quiet)
    run.folder.write("tombstones.parquet", b"PAR1 not")
    for read in (lambda: ShardReader(run.folder.url), lambda: looked_for(run, ("url", url(2)))):
        with pytest.raises(IntegrityError, match="nobody can tell what was erased"):
            read()


@pytest.mark.timeout(120)
def test_the_address_of_a_sound(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.jpg").write_bytes(picture(len(name) + ord(name[0])))
        (folder / f"{name}.wav").write_bytes(encoded("wav"))
        (folder / f"{name}.txt").write_text(f"a caption of {name}")
    source = f"source: {{media_folder: {{path: {folder}}}}}"
    tree = f"name: sounds\n{source}\nstages: []\nsink: {{webdataset: {{}}}}\n"
    run = Run.at(str(tmp_path / "out"))
    execute(parse_recipe(tree.encode(), "sounds.yaml"), run, LocalRunner, quiet)
    assert len(looked_for(run, ("url", "one.wav")).new) == 1
    purge(run)
    assert len(looked_for(Run.at(run.folder.url), ("url", "two.wav")).new) == 1
