"""The Q-Former against transformers' two, and the paper's three masks against one pass with a mask of our own."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import Blip2QFormerConfig, Blip2QFormerModel, InstructBlipQFormerConfig, InstructBlipQFormerModel

from curate.train.sizes import QFormer as Sizes
from curate.train.towers.language import checkpoint_activations
from curate.train.towers.qformer import QFormer, TextHead

from .hf_names import instructblip_weights, qformer_weights

SIZES = Sizes(queries=5, width=32, layers=4, heads=4, feedforward=64, vocabulary=50, context=16, dropout=0.0)
THEIRS = {
    "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 64,
    "encoder_hidden_size": 24, "vocab_size": 50, "max_position_embeddings": 16, "hidden_act": "gelu",
}  # fmt: skip


def count(*modules):
    return sum(p.numel() for m in modules for p in m.parameters())


@pytest.fixture
def qformer():
    torch.manual_seed(0)
    made = QFormer(SIZES, 24, text=True)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.3)
    return made


@pytest.fixture
def picture():
    return torch.randn(3, 7, 24, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def text():
    ids = torch.randint(1, 50, (3, 6), generator=torch.Generator().manual_seed(2))
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]])
    return ids * mask, mask


@pytest.mark.counts
@pytest.mark.parametrize(("width", "counted"), [(1408, 105_137_664), (1024, 101_598_720)])
def test_without_text_it_has_the_published_count(width, counted):
    with torch.device("meta"):
        made = QFormer(Sizes(), width, text=False)
    assert count(made) == counted + 32 * 768


@pytest.mark.counts
def test_with_text_and_head_it_has_the_published_count():
    with torch.device("meta"):
        made, head = QFormer(Sizes(), 1408, text=True), TextHead(Sizes())
    assert count(made, head) == 186_282_811 + 32 * 768


@pytest.mark.counts
def test_the_first_stage_and_instructblip_train_the_published_counts():
    with torch.device("meta"):
        made, head = QFormer(Sizes(), 1408, text=True), TextHead(Sizes())
        projections, matching, norm = 2 * count(nn.Linear(768, 256)), nn.Linear(768, 2), nn.LayerNorm(1408)
        temperature = 1
        assert count(made, head, matching, norm) + projections + temperature == 186_705_470
        assert count(made, nn.Linear(768, 4096)) == 188_834_560


def test_queries_alone_are_those_of_transformers(qformer, picture):
    theirs = Blip2QFormerModel(Blip2QFormerConfig(**THEIRS)).eval()
    weights = {n: t for n, t in qformer_weights(qformer).items() if n in theirs.state_dict()}
    theirs.load_state_dict(weights)
    reference = theirs(query_embeds=qformer.queries.expand(3, -1, -1), encoder_hidden_states=picture)
    torch.testing.assert_close(qformer.look(picture), reference.last_hidden_state, atol=1e-5, rtol=1e-5)


def test_queries_and_instruction_are_those_of_transformers(qformer, picture, text):
    ids, mask = text
    theirs = InstructBlipQFormerModel(InstructBlipQFormerConfig(**THEIRS)).eval()
    theirs.load_state_dict({n: t for n, t in instructblip_weights(qformer).items() if n != "query_tokens"})
    reference = theirs(
        input_ids=ids,
        attention_mask=functional.pad(mask, (5, 0), value=1),
        query_embeds=qformer.queries.expand(3, -1, -1),
        encoder_hidden_states=picture,
    ).last_hidden_state
    ours = qformer.both(picture, ids, mask)
    torch.testing.assert_close(ours[:, :5], reference[:, :5], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours[:, 5:][mask > 0], reference[:, 5:][mask > 0], atol=1e-5, rtol=1e-5)


def test_text_that_says_is_text_in_one_pass_with_the_multimodal_causal_mask(qformer, picture, text):
    """Queries see queries; text sees all queries and the text up to it: the same in two passes as in one."""
    ids, mask = text
    queries, kept = qformer.look_and_keep(picture)
    in_two = qformer.say(kept, ids, mask)
    seen = torch.zeros(11, 11, dtype=torch.bool)
    seen[:, :5] = True
    seen[5:, 5:] = torch.ones(6, 6, dtype=torch.bool).tril()
    allowed = (seen & (functional.pad(mask, (5, 0), value=1)[:, None] > 0))[:, None]
    states = torch.cat([qformer._queries(3), qformer._text(ids)], dim=1)
    for layer in qformer.layers:
        states, _ = layer(states, 5, allowed, picture)
    torch.testing.assert_close(states[:, :5], queries, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(states[:, 5:][mask > 0], in_two[mask > 0], atol=1e-5, rtol=1e-5)


def test_gradients_of_what_is_said_reach_queries_and_picture(qformer, picture, text):
    ids, mask = text
    picture.requires_grad_()
    _, kept = qformer.look_and_keep(picture)
    qformer.say(kept, ids, mask)[mask > 0].square().sum().backward()
    assert float(picture.grad.abs().sum()) > 0
    assert float(qformer.queries.grad.abs().sum()) > 0


def test_text_alone_sees_no_picture_and_no_padding(qformer, text):
    ids, mask = text
    alone = qformer.read(ids, mask)
    for row, length in enumerate(mask.sum(1).tolist()):
        short = qformer.read(ids[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(alone[row : row + 1, :length], short, atol=1e-5, rtol=1e-5)


def test_what_comes_later_is_not_seen_by_what_is_said(qformer, picture, text):
    ids, mask = text
    _, kept = qformer.look_and_keep(picture)
    changed = ids.clone()
    changed[0, 4] = (changed[0, 4] + 7) % 50
    before, after = qformer.say(kept, ids, mask), qformer.say(kept, changed, mask)
    torch.testing.assert_close(before[0, :4], after[0, :4])
    assert not torch.allclose(before[0, 4:], after[0, 4:])


def test_a_qformer_without_text_cannot_read():
    with pytest.raises(ValueError, match="built without text"):
        QFormer(SIZES, 24, text=False).read(torch.ones(1, 2, dtype=torch.long), torch.ones(1, 2))


def test_the_head_says_words_with_the_embedding(qformer):
    head = TextHead(SIZES)
    states = torch.randn(4, 32)
    logits = head(states, qformer.words)
    expected = head.norm(functional.gelu(head.dense(states))) @ qformer.words.weight.T + head.bias
    torch.testing.assert_close(logits, expected)


def spoken(qformer, picture, text):
    """Return the gradients of a loss that passes through all four calls."""
    (ids, mask), seen = text, text[1] > 0
    qformer.zero_grad()
    states, kept = qformer.look_and_keep(picture)
    sums = (
        states.square().sum(),
        qformer.say(kept, ids, mask)[seen].square().sum(),
        qformer.read(ids, mask)[seen].square().sum(),
        qformer.both(picture, ids, mask)[:, :5].square().sum(),
    )
    sum(sums).backward()
    return {name: parameter.grad.clone() for name, parameter in qformer.named_parameters()}


def test_checkpointed_layers_have_the_same_gradients(qformer, picture, text):
    expected = spoken(qformer, picture, text)
    checkpoint_activations(qformer.layers)
    again = spoken(qformer, picture, text)
    assert all(torch.equal(again[name], gradient) for name, gradient in expected.items())


def test_all_that_a_layer_computes_is_computed_once_and_inside_its_call(qformer, picture):
    """What is computed outside has no weights under FSDP, which brings them together for the call alone."""
    order = []
    for layer in qformer.layers:
        layer.register_forward_pre_hook(lambda *_: order.append("call"))
        layer.attention.key.register_forward_hook(lambda *_: order.append("keys"))
        layer.register_forward_hook(lambda *_: order.append("return"))
    qformer.look(picture)
    assert order == ["call", "keys", "return"] * 4


def test_each_sample_drops_queries_of_its_own():
    torch.manual_seed(0)
    made = QFormer(SIZES.model_copy(update={"dropout": 0.5}), 24, text=False)
    first, second = made._queries(2)
    assert not torch.equal(first == 0, second == 0)


def test_every_word_learns_from_where_it_is_read(qformer):
    """Id 0 is BERT's padding, which no mask shows, but [CLS] in a vocabulary that is learned from samples."""
    qformer.read(torch.tensor([[0, 3]]), torch.ones(1, 2))[:, 0].square().sum().backward()
    assert float(qformer.words.weight.grad[0].abs().sum()) > 0


def test_padding_learns_nothing(qformer, picture, text):
    assert (text[0] == 0).any()
    assert not spoken(qformer, picture, text)["words.weight"][0].any()
