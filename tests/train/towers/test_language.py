import pytest
import torch

from curate.train.sizes import Language
from curate.train.towers.language import blocks, build_language, checkpoint_activations

TINY = {"vocabulary": 300, "width": 32, "layers": 3, "heads": 4, "feedforward": 64, "context": 32}
BIG = {"context": 2048, "layers": 32, "heads": 32}
T5_XXL = Language(kind="t5", vocabulary=32128, width=4096, layers=24, heads=64, feedforward=10240, context=512)


@pytest.mark.counts
@pytest.mark.parametrize(
    ("sizes", "counted"),
    [
        (Language(kind="llama", vocabulary=32000, width=4096, feedforward=11008, **BIG), 6_738_415_616),
        (Language(kind="opt", vocabulary=50272, width=2560, feedforward=10240, **BIG), 2_651_596_800),
        (Language(kind="opt", vocabulary=50272, width=4096, feedforward=16384, **BIG), 6_658_473_984),
        (Language(kind="t5", vocabulary=32128, width=2048, feedforward=5120, **BIG | {"layers": 24}), 2_849_757_184),
        (T5_XXL, 11_135_332_352),  # BLIP-2's 12,229,541,760 without ViT-g, its norm, Q-Former and projection
    ],
)
def test_language_models_have_the_published_counts(sizes, counted):
    with torch.device("meta"):
        assert sum(p.numel() for p in build_language(sizes).parameters()) == counted


@pytest.mark.parametrize(("kind", "layers"), [("llama", 3), ("opt", 3), ("t5", 6)])
def test_blocks_are_the_layers(kind, layers):
    assert len(blocks(build_language(Language(kind=kind, **TINY)))) == layers


def states(model, embeds):
    if not model.config.is_encoder_decoder:
        return model.model(inputs_embeds=embeds, use_cache=False).last_hidden_state
    begun = torch.zeros(len(embeds), 7, dtype=torch.long)
    return model(inputs_embeds=embeds, decoder_input_ids=begun, use_cache=False).logits


def kept_bytes(model, embeds):
    """Run forward and backward; return the loss, the gradient, and how much was kept between the two."""
    kept = []

    def keep(tensor):
        kept.append(tensor.numel() * tensor.element_size())
        return tensor

    embeds = embeds.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = states(model, embeds).square().sum()
    loss.backward()
    return loss.detach(), embeds.grad, sum(kept)


@pytest.mark.parametrize("kind", ["llama", "opt", "t5"])
def test_checkpointed_activations_change_memory_alone_in_a_frozen_model(kind):
    """Frozen and in evaluation mode, as a language model is that gradients only cross."""
    torch.manual_seed(0)
    model = build_language(Language(kind=kind, **TINY)).eval().requires_grad_(requires_grad=False)
    embeds = torch.randn(2, 20, 32)
    loss, gradient, kept = kept_bytes(model, embeds)
    checkpoint_activations(blocks(model))
    again, same_gradient, less = kept_bytes(model, embeds)
    assert torch.equal(loss, again)
    assert torch.equal(gradient, same_gradient)
    assert less < kept / 3


def test_t5_has_an_output_matrix_of_its_own():
    model = build_language(Language(kind="t5", **TINY))
    assert model.lm_head.weight is not model.shared.weight
