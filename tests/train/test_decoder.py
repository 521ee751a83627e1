"""Sequences packed into one row, pictures between words, and where an answer ends."""

import pytest
import torch

from curate.train.batch import Text
from curate.train.decoder import Decoding, blocks_of, loss_sum, positions_of, speak, splice, states, until
from curate.train.sizes import Language
from curate.train.template import IMAGE, UNLABELLED
from curate.train.towers.language import build_language

WORDS, CONTEXT = 300, 40
LENGTHS = (5, 1, 9, 4)
MASK = torch.tensor([[1, 1, 1, 2, 2, 0, 0], [1, 2, 3, 3, 3, 3, 0], [1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0]])
KINDS = ("llama", "opt")


@pytest.fixture(scope="module", params=KINDS)
def language(request):
    torch.manual_seed(0)
    sizes = {"width": 32, "layers": 2, "heads": 4, "feedforward": 48, "context": CONTEXT}
    return build_language(Language(kind=request.param, vocabulary=WORDS, **sizes)).eval()


def sequences():
    draw = torch.Generator().manual_seed(2)
    return [torch.randint(WORDS, (length,), generator=draw) for length in LENGTHS]


def packed(padding=3):
    """Return ids and mask of one row that holds all sequences, padded at the right."""
    ids = torch.cat([*sequences(), torch.zeros(padding, dtype=torch.long)])
    numbers = [n for n, length in enumerate(LENGTHS, 1) for _ in range(length)] + [0] * padding
    return ids[None], torch.tensor([numbers])


def test_a_place_sees_those_before_it_in_its_own_sequence():
    seen = blocks_of(MASK)
    assert seen.shape == (4, 1, 7, 7)
    for row, numbers in enumerate(MASK.tolist()):
        for place in range(7):
            expected = [other <= place and numbers[other] == numbers[place] for other in range(7)]
            assert seen[row, 0, place].tolist() == expected


def test_places_are_counted_anew_in_each_sequence():
    expected = [[0, 1, 2, 0, 1, 0, 1], [0, 0, 0, 1, 2, 3, 0], [0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]]
    assert positions_of(MASK).tolist() == expected


def test_packed_sequences_are_read_as_each_alone(language):
    ids_BL, mask_BL = packed()
    embed = language.get_input_embeddings()
    with torch.inference_mode():
        together = language.lm_head(states(language, embed(ids_BL), mask_BL))[0, : sum(LENGTHS)]
        alone = torch.cat([language(input_ids=row[None]).logits[0] for row in sequences()])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_packed_sequences_lose_what_each_loses_alone(language):
    ids_BL, mask_BL = packed()
    rows = [torch.cat([torch.tensor([UNLABELLED]), row[1:]]) for row in sequences()]
    labels_BL = torch.cat([*rows, torch.full((3,), UNLABELLED)])[None]
    embed = language.get_input_embeddings()
    with torch.inference_mode():
        together = float(loss_sum(language, embed(ids_BL), Text(ids_BL, labels_BL, mask_BL)))
        alone = [
            float(loss_sum(language, embed(ids[None]), Text(ids[None], labels[None], torch.ones_like(ids[None]))))
            for ids, labels in zip(sequences(), rows, strict=True)
        ]
    assert together == pytest.approx(sum(alone), rel=1e-6)
    assert alone[1] == 0  # one token, which nothing comes before


def test_what_packed_sequences_teach_is_what_each_teaches_alone(language):
    ids_BL, mask_BL = packed()
    embeds_BLD = language.get_input_embeddings()(ids_BL).detach()
    rows = [torch.cat([torch.tensor([UNLABELLED]), row[1:]]) for row in sequences()]
    labels_BL = torch.cat([*rows, torch.full((3,), UNLABELLED)])[None]
    together = embeds_BLD.clone().requires_grad_()
    loss_sum(language, together, Text(ids_BL, labels_BL, mask_BL)).backward()
    start = 0
    for ids, labels in zip(sequences(), rows, strict=True):
        alone = embeds_BLD[:, start : start + len(ids)].clone().requires_grad_()
        loss_sum(language, alone, Text(ids[None], labels[None], torch.ones_like(ids[None]))).backward()
        torch.testing.assert_close(together.grad[:, start : start + len(ids)], alone.grad, atol=1e-6, rtol=1e-5)
        start += len(ids)


def test_features_stand_where_the_ids_say_in_reading_order(language):
    ids_BL = torch.tensor([[3, IMAGE, IMAGE, 4, 5], [6, IMAGE, IMAGE, IMAGE, IMAGE]])
    features_PND = torch.arange(3 * 2 * 32, dtype=torch.float32).view(3, 2, 32)
    with torch.inference_mode():
        found = splice(language, ids_BL, features_PND)
        words = language.get_input_embeddings()(torch.tensor([3, 4, 5, 6]))
    torch.testing.assert_close(found[ids_BL != IMAGE], words)
    torch.testing.assert_close(found[0, 1:3], features_PND[0])
    torch.testing.assert_close(found[1, 1:], features_PND[1:].flatten(0, 1))


@pytest.mark.parametrize("pictures", [0, 1, 3])
def test_as_many_places_as_features(language, pictures):
    ids_BL = torch.tensor([[3, IMAGE, IMAGE], [6, IMAGE, IMAGE]])
    with pytest.raises(ValueError, match="4 places for features"):
        splice(language, ids_BL, torch.zeros(pictures, 2, 32))


def test_text_alone_needs_no_features(language):
    ids_BL = torch.tensor([[3, 4]])
    with torch.inference_mode():
        assert torch.equal(splice(language, ids_BL, torch.zeros(0, 3, 8, 8)), language.get_input_embeddings()(ids_BL))


def prompts(language, *lengths):
    embed = language.get_input_embeddings()
    return [embed(torch.arange(10, 10 + length)) for length in lengths]


@torch.inference_mode()
def test_greedy_answers_are_the_likeliest_token_each_time(language):
    short, long = prompts(language, 3, 8)
    expected = []
    for row in (short, long):
        said = []
        for _ in range(6):
            words = language.get_input_embeddings()(torch.tensor(said, dtype=torch.long))
            said.append(int(language(inputs_embeds=torch.cat([row, words])[None]).logits[0, -1].argmax()))
        expected.append(until(said, (WORDS - 1,)))
    assert speak(language, [short, long], Decoding(6, ends=(WORDS - 1,))) == expected


@torch.inference_mode()
def test_as_many_beams_as_words_find_the_likeliest_pair_of_words(language):
    (row,) = prompts(language, 4)
    embed, every = language.get_input_embeddings(), torch.arange(WORDS)
    first = language(inputs_embeds=row[None]).logits[0, -1].log_softmax(-1)
    after = torch.cat([row.expand(WORDS, -1, -1), embed(every)[:, None]], dim=1)
    both = first[:, None] + language(inputs_embeds=after).logits[:, -1].log_softmax(-1)
    end = int(first.argmin())  # an answer of this alone is the least likely, by token
    both[end] = -torch.inf
    best = until(divmod(int(both.argmax()), WORDS), (end,))
    assert speak(language, [row], Decoding(2, beams=WORDS, ends=(end,))) == [best]


@torch.inference_mode()
def test_an_answer_ends_with_its_token_or_with_the_room(language):
    (row,) = prompts(language, 4)
    (said,) = speak(language, [row], Decoding(3, ends=(WORDS - 1,)))
    assert speak(language, [row], Decoding(9, ends=(WORDS - 1, said[0]))) == [[]]
    assert speak(language, [row], Decoding(0, ends=(WORDS - 1,))) == [[]]
    full, nearly = prompts(language, CONTEXT, CONTEXT - 2)
    assert speak(language, [full], Decoding(9, ends=(WORDS - 1,))) == [[]]
    assert len(speak(language, [nearly], Decoding(9, ends=(WORDS - 1,)))[0]) <= 2


@pytest.mark.parametrize(("ids", "before"), [([5, 6, 1, 7], [5, 6]), ([2, 5], []), ([5, 6], [5, 6]), ([], [])])
def test_the_first_end_counts(ids, before):
    assert until(ids, (1, 2)) == before
