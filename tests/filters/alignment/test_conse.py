import numpy as np
import pytest
from PIL import Image, ImageDraw

from curate.errors import ModelError
from filters.alignment import conse


@pytest.fixture(scope="module")
def towers():
    return conse.load(conse.CLASSIFIER.locate(), conse.SENTENCES.locate())


def orange():
    """A drawing that the classifier takes for a fruit."""
    image = Image.new("RGB", (240, 200), "white")
    draw = ImageDraw.Draw(image)
    for radius in range(90, 0, -1):
        draw.ellipse((120 - radius, 100 - radius, 120 + radius, 100 + radius), fill=(255, 140 + (90 - radius), 10))
    return image


def test_a_thousand_classes_in_the_order_of_the_classifier():
    names = conse.CLASSES.read_text("utf-8").splitlines()
    assert len(names) == 1000
    assert (names[0], names[281], names[950], names[999]) == (
        "tench, Tinca tinca",
        "tabby, tabby cat",
        "orange",
        "toilet tissue, toilet paper, bathroom tissue",
    )


def test_combination_is_equation_2_of_the_paper():
    random = np.random.default_rng(0)
    names = random.normal(size=(1000, 8)).astype(np.float32)
    probabilities = random.dirichlet(np.full(1000, 0.01)).astype(np.float32)
    top = sorted(range(1000), key=lambda i: -probabilities[i])[: conse.TOP]
    expected = sum(probabilities[i] * names[i] for i in top) / sum(probabilities[i] for i in top)
    np.testing.assert_allclose(
        conse._combine(probabilities, names), expected / np.linalg.norm(expected), rtol=1e-4, atol=1e-6
    )


def test_picture_is_nearest_to_the_caption_that_names_it(towers):
    picture = towers.embed_pictures([towers.prepare(orange())])
    texts = towers.embed_texts(["a ripe orange", "a fire truck", "a page of printed text", "a grey wolf"])
    assert (picture @ texts.T).argmax() == 0


def test_vectors_have_length_one(towers):
    for vectors in (towers.embed_pictures([towers.prepare(orange())]), towers.embed_texts(["a", "a cat on a mat"])):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_sentences_of_like_meaning_are_near_whatever_else_is_in_their_batch():
    encode = conse._sentence_encoder(conse.SENTENCES.locate())
    texts = ["That is a happy person", "That is a very happy person", "Today is a sunny day", "a word " * 100]
    vectors = encode(texts)
    one, like, unlike, _ = vectors
    assert one @ like > 0.9
    assert one @ unlike < 0.5
    np.testing.assert_allclose(np.concatenate([encode([text]) for text in texts]), vectors, atol=1e-5)


def test_wrong_weights_are_refused(tmp_path):
    with pytest.raises(ModelError, match="EfficientNet-Lite0"):
        conse._classifier(tmp_path / "missing.pth")
    with pytest.raises(ModelError, match="no sentence encoder"):
        conse._sentence_encoder(tmp_path)
