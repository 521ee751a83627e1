"""FROMAGe speaking with a cache against passes over the whole text."""

import itertools

import pytest
import torch
from torch.nn import functional

from curate.errors import TrainError
from curate.train.batch import Batch, Text
from curate.train.decoder import Decoding
from curate.train.template import IMAGE, UNLABELLED, Tokens

from .small_fromage import made


def prompts(model):
    """Return two of different lengths, of which the second has a picture."""
    rows = [[0, 5, 6, 7, 8, 9], [IMAGE, IMAGE, 0, 11]]
    text = Text.padded([Tokens(row, [UNLABELLED] * len(row)) for row in rows])
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    return Batch(text, None, None, pixels, cached=False, places_B=torch.tensor([0, 1]))


def recomputed(model, ids, seen, tokens):
    """Return what `converse` must, without a cache: the vectors of a single pass over all that was said."""
    for _ in range(tokens):
        hidden = model.language.model(inputs_embeds=model.embed(torch.tensor([ids]), seen)).last_hidden_state[0]
        logits = torch.cat([model.language.lm_head(hidden[-1]), hidden[-1] @ model.ret.T])
        logits[300] *= 40
        ids = [*ids, int(logits.argmax())]
    hidden = model.language.model(inputs_embeds=model.embed(torch.tensor([ids]), seen)).last_hidden_state[0]
    said = torch.tensor(ids)
    return ids[-tokens:], functional.normalize(model.text_fc(hidden[said == 300]), dim=-1)


def test_speaking_with_a_cache_is_speaking_without_and_ret_gives_vectors():
    model = made().eval()
    batch = prompts(model)
    said = model.converse(batch, Decoding(max_new_tokens=12), ret_scale=40)
    with torch.inference_mode():
        seen = model.look(batch.pictures)
        expected = [
            recomputed(model, [0, 5, 6, 7, 8, 9], seen[:0], 12),
            recomputed(model, [IMAGE, IMAGE, 0, 11], seen, 12),
        ]
    assert any(300 in one.ids for one in said)
    for one, (ids, vectors_RE) in zip(said, expected, strict=True):
        assert one.ids == ids
        torch.testing.assert_close(one.vectors_RE, vectors_RE, atol=1e-5, rtol=1e-5)


def test_an_answer_ends_before_its_end_and_before_ret():
    model = made().eval()
    batch = prompts(model)
    free = [one.ids for one in model.converse(batch, Decoding(max_new_tokens=8), ret_scale=0)]
    end = free[0][2]
    said = model.converse(batch, Decoding(max_new_tokens=8, ends=(end,)), ret_scale=0)[0]
    assert said.ids == list(itertools.takewhile(lambda token: token != end, free[0]))
    assert said.vectors_RE.shape == (0, 128)
    with torch.no_grad():
        model.ret.copy_(model.language.model(inputs_embeds=model.embed(*alone(batch))).last_hidden_state[0, -1:] * 100)
    assert model.generate(batch, Decoding(max_new_tokens=8))[0] == []
    with pytest.raises(TrainError, match="ask for 1 beam"):
        model.generate(batch, Decoding(beams=2))


def alone(batch):
    return batch.text.ids_BL[:1], torch.zeros(0, 32)
