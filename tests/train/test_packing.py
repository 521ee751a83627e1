"""Sequences packed into a row learn what they learn in rows of their own."""

import random

import pytest
import torch

from curate.errors import TrainError
from curate.train.architectures import kind_of
from curate.train.batch import Example, Text, dealt
from curate.train.corpus import Corpus, Drawn, collate
from curate.train.decoder import positions_of
from curate.train.learner import begin
from curate.train.mixture import open_mixture
from curate.train.pictures import Transform
from curate.train.presets import configure, presets
from curate.train.sharding import Placement
from curate.train.template import IMAGE, UNLABELLED, Tokens

from .shapes import TINY
from .tiny import SMALL

LENGTHS = (3, 70, 11, 2, 25, 40, 5, 19)


def examples(config):
    """Sequences of very different lengths; every second one begins with a picture."""
    draw, made = random.Random(0), []
    for number, length in enumerate(LENGTHS):
        words = [draw.randrange(2, config.language.vocabulary) for _ in range(length)]
        slots = [IMAGE] * (config.vision.patches if number % 2 else 0)
        labels = [UNLABELLED] * len(slots) + words[:]
        labels[0] = UNLABELLED
        pixels = torch.randint(0, 256, (64, 64, 3), generator=torch.Generator().manual_seed(number)).byte().numpy()
        made.append(Example(Tokens(slots + words, labels), picture=pixels if slots else None))
    return Drawn(made, [100 + number for number in range(len(made))], [])


@pytest.mark.parametrize("kind", ["llama", "opt"])
def test_losses_and_gradients_are_those_of_padded_rows(kind):
    config = configure("llava-tiny", {**TINY, "language.kind": kind})
    torch.manual_seed(0)
    model = kind_of(config).model(config)
    drawn, found = examples(config), {}
    for room in (0, 120):
        batch = collate(drawn, Transform(64), room=room)
        model.zero_grad(set_to_none=True)
        loss = model(batch)["tokens"]
        loss.backward()
        gradients = {name: p.grad.clone() for name, p in model.learns().items() if p.grad is not None}
        found[room] = float(loss.detach()), model.count(batch), gradients, len(batch.text.ids_BL)
    (loss, terms, padded, rows), (packed_loss, packed_terms, packed, packed_rows) = found[0], found[120]
    assert packed_loss == pytest.approx(loss, rel=1e-6)
    assert packed_terms == terms
    assert (rows, packed_rows) == (8, 2)  # 175 words and four pictures of 16 places: 239 in all
    assert packed.keys() == padded.keys()
    whole, parts = (torch.cat([g.flatten() for g in named.values()]) for named in (padded, packed))
    assert float((whole - parts).norm() / whole.norm()) < 1e-6


def test_everything_of_a_sample_stands_in_reading_order():
    config = configure("llava-tiny", TINY)
    batch = collate(examples(config), Transform(64), room=120)
    order = [place - 100 for place in batch.places_B.tolist()]
    assert sorted(order) == list(range(8))
    assert order != sorted(order)
    read = [int(IMAGE in row[mask == n].tolist()) for row, mask in rows(batch) for n in range(1, int(mask.max()) + 1)]
    assert read == [number % 2 for number in order]
    alone = Transform(64)
    shown = [examples(config).examples[number].picture for number in order if number % 2]
    for pixels, picture in zip(batch.pictures, shown, strict=True):
        assert torch.equal(pixels, alone.normalised(picture[None])[0])


def rows(batch):
    return zip(batch.text.ids_BL, batch.text.mask_BL, strict=True)


def test_rows_are_dealt_by_falling_length_into_the_first_that_has_room():
    assert dealt([2, 7, 5, 3, 5], 10) == [[1, 3], [2, 4], [0]]
    assert dealt([12, 1], 10) == [[0], [1]]
    assert dealt([], 10) == []


def test_a_packed_row_numbers_its_sequences_and_labels_no_first_place():
    text = Text.packed([[Tokens([5, 6], [5, 6]), Tokens([7], [7])], [Tokens([8, 9], [UNLABELLED, 9])]])
    assert text.ids_BL.tolist() == [[5, 6, 7], [8, 9, 0]]
    assert text.labels_BL.tolist() == [[UNLABELLED, 6, UNLABELLED], [UNLABELLED, 9, UNLABELLED]]
    assert text.mask_BL.tolist() == [[1, 1, 2], [1, 1, 0]]
    assert positions_of(text.mask_BL).tolist() == [[0, 1, 0], [0, 1, 0]]


@pytest.mark.parametrize("preset", ["llava-tiny", "minigpt4-tiny", "instructblip-tiny", "blip2-opt-tiny"])
def test_the_corpus_packs_where_it_is_asked_to(shapes_run, preset):
    """Samples of a run, what their Q-Former is told included, lose the same in fewer rows."""
    settings, found = {**SMALL[preset], "batch_size": "8"}, []
    for pack in ("false", "true"):
        config = configure(preset, {**settings, "pack": pack})
        mixture = open_mixture([shapes_run], config)
        learner = begin(config, mixture, Placement())
        corpus = Corpus(mixture, config, learner.examples)
        batch = corpus.collate(corpus.draw(range(8)))
        found.append((float(learner.model(batch)["tokens"].detach()), batch))
    (padded_loss, padded), (packed_loss, packed) = found
    assert packed_loss == pytest.approx(padded_loss, rel=1e-6)
    assert len(packed) == len(padded) == 8
    assert len(packed.text.ids_BL) < len(padded.text.ids_BL)
    assert packed.text.ids_BL.shape[1] <= presets()[preset].language.context


def test_what_cannot_be_packed_is_refused():
    for preset in ("blip2-flan-t5-tiny", "instructblip-flan-t5-xl"):
        with pytest.raises(TrainError, match=r"^pack: an encoder-decoder's sequences cannot be packed"):
            configure(preset, {"pack": "true"})
    with pytest.raises(TrainError, match="no training option named 'pack'"):
        configure("fromage-tiny", {"pack": "true"})
