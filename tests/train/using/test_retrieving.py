"""A gallery is looked through as a brute force over its vectors would."""

import numpy as np
import pytest

from curate.errors import TrainError
from curate.train.using import embedding, matching
from curate.train.using.items import Items, anything, of_samples, whole_run
from curate.train.using.retrieving import Query, Search, retrieve
from curate.train.using.sources import open_run

TEXT = "A red circle on the left."
FROMAGE, STAGE1 = "fromage-tiny", "blip2-stage1-tiny"


@pytest.fixture
def gallery(opened, data):
    mixture = open_run(opened(FROMAGE), [data])
    return of_samples(mixture, whole_run(mixture), anything)


def scores_of(model, text, gallery):
    pictures = np.concatenate(list(embedding.of_pictures(model, gallery.found)))
    return embedding.similarity(pictures, embedding.of_texts(model, [model.query(text)]))


@pytest.mark.parametrize("preset", [FROMAGE, STAGE1])
def test_pictures_of_a_text_are_the_nearest(opened, gallery, preset):
    hits = retrieve(opened(preset), Query(TEXT), gallery, Search(top=5, rerank=0))
    scores = scores_of(opened(preset), TEXT, gallery)[:, 0]
    best = np.argsort(-scores)[:5]
    assert [hit.key for hit in hits] == [gallery.found[n].key for n in best]
    assert [hit.score for hit in hits] == pytest.approx(scores[best].tolist(), abs=1e-5)
    assert [hit.caption for hit in hits] == [gallery.found[n].answers[0] for n in best]


def test_the_best_are_looked_at_again(opened, gallery):
    model = opened(STAGE1)
    hits = retrieve(model, Query(TEXT), gallery, Search(top=64, rerank=6))
    scores = scores_of(model, TEXT, gallery)
    nearest = np.argsort(-scores[:, 0])
    every = matching.logits_of(model, gallery.found, [model.query(TEXT)], np.ones_like(scores, bool))
    again = sorted(nearest[:6], key=lambda n: -(scores + every)[n, 0])
    assert [hit.key for hit in hits] == [gallery.found[n].key for n in [*again, *nearest[6:]]]


@pytest.mark.parametrize("preset", [FROMAGE, STAGE1])
def test_captions_of_a_picture_are_the_nearest(opened, gallery, red, preset):
    model = opened(preset)
    (hit,) = retrieve(model, Query(pictures=(red.read_bytes(),)), gallery, Search(top=1, rerank=0))
    texts = [model.examples.captioned(item.answers[0]) for item in gallery.found]
    scores = embedding.similarity(
        embedding.of_pixels(model, [model.given(red.read_bytes())]), embedding.of_texts(model, texts)
    )
    assert hit.key == gallery.found[int(scores[0].argmax())].key
    again = retrieve(model, Query(pictures=(red.read_bytes(),)), gallery, Search(top=1, rerank=64))
    assert (again == [hit]) or preset == STAGE1


def test_pictures_stand_between_the_words_where_they_are_put(opened, gallery, red, blue):
    model, pictures = opened(FROMAGE), (red.read_bytes(), blue.read_bytes())

    def scores(text, pictures):
        return [hit.score for hit in retrieve(model, Query(text, pictures), gallery, Search(top=64))]

    assert scores("like these", pictures) == scores("<image><image>like these", pictures)
    assert scores("like these", pictures) != scores("<image>like<image> these", pictures)
    assert scores("like these", pictures) != scores("like these", pictures[::-1])
    assert scores("like these", pictures) != scores("like these", ())


@pytest.mark.parametrize(
    ("preset", "query", "says"),
    [
        ("llava-tiny", Query(TEXT), "has no vectors"),
        (STAGE1, Query(), "search by a text, by one picture"),
        (STAGE1, Query(" ", (b"a", b"b")), "search by a text, by one picture"),
        (STAGE1, Query(TEXT, (b"a",)), "reads a text or a picture, not both together"),
        (STAGE1, Query("..."), "caption_missing"),
        (STAGE1, Query("", (b"none",)), "picture_unreadable"),
        (FROMAGE, Query("<image> and", (b"a", b"b")), "1 places <image> for 2 pictures"),
        (FROMAGE, Query("like", (b"none",)), "picture_unreadable"),
    ],
)
def test_what_cannot_be_searched_by_says_why(opened, gallery, preset, query, says):
    with pytest.raises(TrainError, match=says):
        retrieve(opened(preset), query, Items(gallery.found[:3]), Search())
