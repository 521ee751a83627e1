"""Vectors have length 1, and are the same however many pictures pass at once."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from curate.errors import TrainError
from curate.train.using import embedding
from curate.train.using.items import captions, of_samples, whole_run
from curate.train.using.sources import open_run

PRESETS = [("blip2-stage1-tiny", 4), ("fromage-tiny", 1)]


@pytest.fixture
def items(opened, data):
    mixture = open_run(opened("fromage-tiny"), [data])
    return of_samples(mixture, list(whole_run(mixture))[:10], captions).found


@pytest.mark.parametrize(("preset", "queries"), PRESETS)
@pytest.mark.parametrize("texts", [True, False])
def test_batches_change_nothing(opened, items, preset, queries, texts):
    model = opened(preset)
    whole = np.concatenate(list(embedding.of_items(model, items, captions=texts)))
    parts = np.concatenate(list(embedding.of_items(replace(model, batch_size=3), items, captions=texts)))
    assert np.allclose(whole, parts, atol=1e-5)
    assert whole.shape[:-1] == ((10,) if texts else (10, queries))
    assert np.allclose(np.linalg.norm(whole, axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(("preset", "queries"), PRESETS)
def test_given_pictures_are_those_of_a_run(opened, items, tmp_path, preset, queries):
    path = tmp_path / "a.png"
    path.write_bytes(items[4].read())
    keys, parts = embedding.of_given(opened(preset), [path], [])
    (vectors,) = parts
    assert keys == [str(path)]
    assert np.allclose(vectors, next(embedding.of_items(opened(preset), items))[4:5], atol=1e-5)


def test_the_best_of_a_pictures_vectors_counts():
    generator = np.random.default_rng(0)
    pictures, texts = (generator.normal(size=size).astype(np.float32) for size in ((3, 4, 5), (2, 5)))
    expected = [[max(float(q @ t) for q in p) for t in texts] for p in pictures]
    assert np.allclose(embedding.similarity(pictures, texts), expected, atol=1e-5)


@pytest.mark.parametrize("inner", [(5,), (4, 5)])
def test_files_hold_what_was_made(tmp_path, inner):
    generator = np.random.default_rng(0)
    parts = [generator.normal(size=(rows, *inner)).astype(np.float32) for rows in (3, 2)]
    whole, keys = np.concatenate(parts), list("abcde")
    assert embedding.write(tmp_path / "v.npy", keys, iter(parts)) == whole.shape
    assert np.array_equal(np.load(tmp_path / "v.npy"), whole)
    assert embedding.write(tmp_path / "v.parquet", keys, iter(parts)) == whole.shape
    table = pq.read_table(tmp_path / "v.parquet")
    assert table["key"].to_pylist() == keys
    assert np.array_equal(np.array(table["vector"].to_pylist(), np.float32).reshape(whole.shape), whole)
    assert table.schema.metadata[b"shape"].decode() == ",".join(map(str, inner))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["v.npy", "v.parquet"]


@pytest.mark.parametrize(("name", "says"), [("v.csv", "end the name so"), ("none/v.npy", "make it first")])
def test_a_file_that_cannot_be_written_is_refused(tmp_path, name, says):
    with pytest.raises(TrainError, match=says):
        embedding.require_name(tmp_path / name)
