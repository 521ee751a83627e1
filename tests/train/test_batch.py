import numpy as np
import pytest
import torch

from curate.train.batch import Batch, Example, Text, joined, told
from curate.train.corpus import Drawn, collate
from curate.train.pictures import CLIP_MEAN, CLIP_STD, Transform
from curate.train.template import UNLABELLED, Tokens

X = UNLABELLED
SHORT, LONG = Tokens([7, 8], [X, 8]), Tokens([5, 6, 7, 8], [X, X, 7, 8])


def tables(text):
    return text.ids_BL.tolist(), text.labels_BL.tolist(), text.mask_BL.tolist()


def test_padding_is_in_no_mask_and_no_label():
    text = Text.padded([SHORT, LONG], filling=9)
    assert tables(text) == (
        [[7, 8, 9, 9], [5, 6, 7, 8]],
        [[X, 8, X, X], [X, X, 7, 8]],
        [[1, 1, 0, 0], [1, 1, 1, 1]],
    )
    assert text.labelled == 3
    assert text.ids_BL.dtype == torch.int64


def test_joined_texts_are_as_wide_as_the_widest_or_as_asked():
    both = joined([Text.padded([SHORT]), Text.padded([LONG])], filling=9)
    assert tables(both) == tables(Text.padded([SHORT, LONG], filling=9))
    wide = joined([Text.padded([SHORT])], at_least=5)
    assert tables(wide) == ([[7, 8, 0, 0, 0]], [[X, 8, X, X, X]], [[1, 1, 0, 0, 0]])
    assert tables(joined([wide], at_least=2)) == tables(wide)


def test_what_is_told_is_never_a_label():
    text = told([[4], [5, 6]], filling=3)
    assert (text.ids_BL.tolist(), text.mask_BL.tolist()) == ([[4, 3], [5, 6]], [[1, 0], [1, 1]])
    assert text.labelled == 0


def pixels(shade):
    return np.full((4, 4, 3), shade, np.uint8)


def test_pictures_come_in_the_order_of_their_samples_and_text_alone_has_none():
    examples = [Example(SHORT, picture=pixels(0)), Example(LONG), Example(SHORT, picture=pixels(255))]
    batch = collate(Drawn(examples, [4, 5, 9], []), Transform(4))
    assert (len(batch), batch.places_B.tolist(), batch.cached, batch.idle) == (3, [4, 5, 9], False, False)
    assert batch.pictures.shape == (2, 3, 4, 4)
    for colour, (mean, std) in enumerate(zip(CLIP_MEAN, CLIP_STD, strict=True)):
        assert batch.pictures[:, colour, 0, 0].tolist() == pytest.approx([-mean / std, (1 - mean) / std], rel=1e-5)
    assert (batch.told, batch.answer) == (None, None)


def test_what_a_q_former_is_told_and_an_answer_have_tables_of_their_own():
    examples = [Example(SHORT, told=[1], answer=LONG), Example(LONG, told=[2, 3], answer=SHORT)]
    batch = collate(Drawn(examples, [0, 1], []), Transform(4))
    assert tables(batch.text) == tables(Text.padded([SHORT, LONG]))
    assert tables(batch.told) == tables(told([[1], [2, 3]]))
    assert tables(batch.answer) == tables(Text.padded([LONG, SHORT]))
    assert batch.pictures.shape == (0, 3, 4, 4)


def test_stored_features_are_taken_as_they_are_and_blank_ones_by_the_tower():
    rows = [np.full((2, 5), n, np.float16) for n in (1, 2)]
    drawn = Drawn([Example(SHORT, picture=row) for row in rows], [0, 1], [])
    blank = torch.full((1, 2, 5), 0.5)
    seen = collate(drawn, Transform(4), blank=blank)
    assert seen.cached
    assert seen.pictures.dtype == torch.float32
    assert seen.pictures[:, 0, 0].tolist() == [1, 2]
    unseen = collate(drawn, Transform(4), blank_pictures=True, blank=blank)
    assert torch.equal(unseen.pictures, blank.expand(2, 2, 5))


def test_every_tensor_moves():
    examples = [Example(SHORT, told=[1], answer=LONG, picture=pixels(0))]
    moved = collate(Drawn(examples, [3], []), Transform(4)).to(torch.device("meta"))
    assert isinstance(moved, Batch)
    texts = [t for text in (moved.text, moved.told, moved.answer) for t in (text.ids_BL, text.labels_BL, text.mask_BL)]
    assert {t.device.type for t in (*texts, moved.pictures, moved.places_B)} == {"meta"}
