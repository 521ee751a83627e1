"""The columns that are written: of length 1, each in its row, null where there is nothing, a reason where it failed."""

import io
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from curate.sample import EMBEDDING
from filters.embeddings import EmbedImages, EmbedTexts
from filters.embeddings.vectors import embedded


def encoded(seed):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 40, 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def column(edited, name):
    assert edited.columns.schema == pa.schema([pa.field(name, EMBEDDING)])
    return edited.columns[name].to_pylist(), edited.failed.to_pylist()


def test_vectors_are_stored_with_length_one():
    told = [np.array([3, 4], np.float32), None, "broken_image", np.zeros(2, np.float32), np.full(2, np.nan, np.float32)]
    vectors, failed = column(embedded("text_embedding", told), "text_embedding")
    assert vectors == [[pytest.approx(0.6, abs=1e-3), pytest.approx(0.8, abs=1e-3)], None, None, None, None]
    assert failed == [None, None, "broken_image", "no_direction", "no_direction"]
    assert column(embedded("text_embedding", []), "text_embedding") == ([], [])


def test_texts_are_embedded_by_meaning_and_nothing_where_there_is_none():
    texts = ["A dog runs on the beach.", None, " \n", "On the beach a dog is running.", "Interest rates rose."]
    table = pa.table({"caption": pa.array([*texts, texts[0]], pa.string())})
    vectors, failed = column(EmbedTexts().open()(table), "text_embedding")
    assert failed == [None] * 6
    assert [v is None for v in vectors] == [False, True, True, False, False, False]
    assert vectors[0] == vectors[5]
    one, like, unlike = (np.array(vectors[i]) for i in (0, 3, 4))
    assert len(one) == 384
    assert np.linalg.norm(one) == pytest.approx(1, abs=2e-3)
    assert one @ like > 0.85
    assert one @ unlike < 0.3


def test_another_column_and_a_prompt():
    stage = EmbedTexts(column="text", prompt="query: ")
    assert stage.inputs() == ("text",)
    (vector,), _ = column(stage.open()(pa.table({"text": ["a dog"]})), "text_embedding")
    (spelled,), _ = column(EmbedTexts().open()(pa.table({"caption": ["query: a dog"]})), "text_embedding")
    assert vector == spelled


def test_pictures_are_embedded_and_broken_ones_fail():
    images = [encoded(0), None, b"broken", encoded(1), encoded(0)]
    table = pa.table({"image": pa.array(images, pa.large_binary())})
    stage = EmbedImages(model="efficientnet-lite0")
    vectors, failed = column(stage.open()(table), "image_embedding")
    assert failed == [None, None, "broken_image", None, None]
    assert "broken_image" in stage.permanent
    assert [v is None for v in vectors] == [False, True, True, False, False]
    assert vectors[0] == vectors[4] != vectors[3]
    assert len(vectors[0]) == 1280


def test_stored_vectors_name_the_weights_they_came_from():
    stages = [EmbedTexts(), EmbedTexts(windows=2), EmbedTexts(max_tokens=128), EmbedTexts(prompt="a ")]
    assert all(one.identity() != other.identity() for one, other in pairwise(stages))
