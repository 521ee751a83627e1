"""Any place of the training order, read alone, gives what it gives in any company."""

from dataclasses import astuple

import pytest
import torch

from curate.errors import TrainError
from curate.train.architectures import kind_of
from curate.train.corpus import Corpus
from curate.train.mixture import open_mixture
from curate.train.presets import configure
from curate.train.vocabulary import BEGIN, END, learn

from .shapes import draw, sample, shapes
from .tiny import SMALL

WORDS = learn(["What is in this picture? A red circle on the left."] * 3, 300, (BEGIN, END))


def opened(data, **overrides):
    config = configure("llava-tiny", {**SMALL["llava-tiny"], **overrides})
    return Corpus(open_mixture([data], config), config, kind_of(config).examples(config, {"language": WORDS}))


def pixels(corpus, places):
    return corpus.collate(corpus.draw(places)).pictures


def same(one, other):
    return all(torch.equal(*pair) for pair in zip(tensors(one), tensors(other), strict=True))


def tensors(batch):
    return (*astuple(batch.text), batch.pictures, batch.places_B)


@pytest.mark.parametrize("fit", ["pad", "random_crop"])
def test_a_place_gives_the_same_whenever_and_beside_whatever_it_is_drawn(shapes_run, fit):
    corpus, other = opened(shapes_run, pictures=fit), opened(shapes_run, pictures=fit)
    first = corpus.collate(corpus.draw([9]))
    corpus.draw(range(20))
    assert same(first, corpus.collate(corpus.draw([9])))
    assert torch.equal(pixels(other, [70, 9, 3])[1], first.pictures[0])


def test_a_cache_changes_nothing(shapes_run):
    with_cache, without = opened(shapes_run), opened(shapes_run, cache_bytes="0")
    for _ in range(2):
        assert same(*(corpus.collate(corpus.draw(range(60, 70))) for corpus in (with_cache, without)))


def test_a_random_crop_is_another_in_another_epoch_and_with_another_seed(shapes_run):
    corpus = opened(shapes_run, pictures="random_crop", trainable="language")
    at = corpus.mixture.training(5)
    crops = [corpus.collate(corpus.take([(at, place)])).pictures for place in (5, 5, 69)]
    other = opened(shapes_run, pictures="random_crop", seed="1")
    crops.append(other.collate(other.take([(at, 5)])).pictures)
    assert torch.equal(crops[0], crops[1])
    assert not torch.equal(crops[0], crops[2])
    assert not torch.equal(crops[0], crops[3])


def test_what_cannot_be_used_is_named_and_leaves_no_gap(make_run):
    torn = [sample(f"torn{n}", b"no picture", "<image>\nWhat?", "Torn.") for n in range(2)]
    corpus = opened(make_run([*shapes()[:2], *torn]))
    drawn = corpus.draw(range(4))
    assert sorted(drawn.failed) == sorted((key, "picture_unreadable") for key, _ in torn)
    assert len(drawn.examples) == len(drawn.places) == 2
    usable = [place for place in range(4) if not corpus.draw([place]).failed]
    assert drawn.places == usable
    assert corpus.collate(drawn).places_B.tolist() == usable


def test_the_spare_sample_is_the_first_that_can_be_used(make_run):
    torn = [sample(f"torn{n}", b"no picture", "<image>\nWhat?", "Torn.") for n in range(5)]
    corpus = opened(make_run([sample("one", draw("red", "cross", "left"), "<image>\nWhat?", "One."), *torn]))
    (place,) = [place for place in range(6) if corpus.draw([place]).examples]
    assert corpus.spare().places == [place]
    with pytest.raises(TrainError, match="no sample can be used"):
        opened(make_run(torn)).spare()
