"""The model against the published counts, transformers' own LLaVA, and its own arithmetic."""

import pytest
import torch
from transformers import LlavaConfig, LlavaForConditionalGeneration

from curate.train.data import Example, collate
from curate.train.llava import Llava
from curate.train.presets import PRESETS, configure
from curate.train.tokens import IMAGE, UNLABELLED

from .shapes import TINY


def count(parameters):
    return sum(p.numel() for p in parameters)


@pytest.fixture(scope="module")
def config():
    return configure("llava-tiny", TINY)


@pytest.fixture(scope="module")
def model(config):
    torch.manual_seed(0)
    return Llava(config).eval()


def one_batch(config, length=30):
    patches = config.vision.patches
    generator = torch.Generator().manual_seed(1)
    words = torch.randint(2, config.language.vocabulary, (length,), generator=generator).tolist()
    ids = [0, *words[:5], *([IMAGE] * patches), *words[5:]]
    labels = [UNLABELLED] * (len(ids) - 6) + ids[-6:]
    pixels = torch.randint(0, 256, (64, 64, 3), generator=generator, dtype=torch.uint8).numpy()
    text = [0, *words[:9]]
    examples = [Example(ids, labels, pixels), Example(text, [UNLABELLED] * 6 + text[6:], None)]
    return collate(examples, 64, blank_pictures=False)


@pytest.mark.parametrize(
    ("trainable", "counted"),
    [(("projector",), 20_979_712), (("projector", "language"), 6_759_395_328)],
)
def test_seven_billion_preset_has_the_published_counts(trainable, counted):
    config = PRESETS["llava-1.5-7b"].model_copy(update={"trainable": trainable})
    with torch.device("meta"):
        model = Llava(config)
    assert count(model.parameters()) == 7_062_902_784
    assert count(model.projector.parameters()) == 20_979_712
    assert count(p for p in model.parameters() if p.requires_grad) == counted


def test_first_version_has_a_linear_projector():
    config = PRESETS["llava-1.5-7b"].model_copy(update={"projector": "linear"})
    with torch.device("meta"):
        assert count(Llava(config).projector.parameters()) == 4_198_400


def test_tiny_preset_is_about_two_million_and_all_of_it_learns():
    model = Llava(PRESETS["llava-tiny"])
    assert 1.5e6 < count(model.parameters()) < 6e6
    assert all(p.requires_grad for p in model.parameters())


def test_logits_are_those_of_transformers_llava(model, config):
    """An independent implementation with the same weights: features, projector, splice and decoder agree."""
    token = config.language.vocabulary - 1
    theirs = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=model.vision.config,
            text_config=model.language.config,
            image_token_index=token,
            vision_feature_layer=-2,
            vision_feature_select_strategy="default",
        )
    ).eval()
    theirs.model.vision_tower.load_state_dict(model.vision.state_dict())
    theirs.model.language_model.load_state_dict(model.language.model.state_dict())
    theirs.lm_head.load_state_dict(model.language.lm_head.state_dict())
    names = {"0.weight": "linear_1.weight", "0.bias": "linear_1.bias"}
    names |= {"2.weight": "linear_2.weight", "2.bias": "linear_2.bias"}
    state = model.projector.state_dict()
    theirs.model.multi_modal_projector.load_state_dict({names[n]: t for n, t in state.items()})
    batch = one_batch(config)
    ids = batch.ids_BL[:1].masked_fill(batch.ids_BL[:1] == IMAGE, token)
    with torch.inference_mode():
        ours = model.language(inputs_embeds=model.embed(batch.ids_BL[:1], batch.pixels_PCSS)).logits
        reference = theirs(input_ids=ids, pixel_values=batch.pixels_PCSS).logits
    torch.testing.assert_close(ours, reference, atol=1e-5, rtol=1e-5)


def test_loss_is_the_cross_entropy_of_labelled_tokens(model, config):
    batch = one_batch(config)
    with torch.inference_mode():
        embeds = model.embed(batch.ids_BL, batch.pixels_PCSS)
        logits = model.language(inputs_embeds=embeds, attention_mask=batch.mask_BL).logits.log_softmax(-1)
        loss = model.loss_sum(batch)
    expected = 0.0
    for row, labels in enumerate(batch.labels_BL.tolist()):
        for place, label in enumerate(labels):
            if label != UNLABELLED:
                expected -= float(logits[row, place - 1, label])
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert batch.tokens == 6 + 4


def test_loss_does_not_depend_on_what_shares_the_batch(model, config):
    batch = one_batch(config)
    rows = [one_row(batch, 0, slice(None)), one_row(batch, 1, slice(0, 10))]
    with torch.inference_mode():
        together = float(model.loss_sum(batch))
        alone = sum(float(model.loss_sum(row)) for row in rows)
    assert together == pytest.approx(alone, rel=1e-5)


def one_row(batch, row, places):
    pixels = batch.pixels_PCSS if row == 0 else batch.pixels_PCSS[:0]
    parts = (t[row : row + 1, places] for t in (batch.ids_BL, batch.labels_BL, batch.mask_BL))
    return type(batch)(*parts, pixels)


def test_places_and_features_must_match(model, config):
    batch = one_batch(config)
    with pytest.raises(ValueError, match="places for features"):
        model.embed(batch.ids_BL[:, 7:], batch.pixels_PCSS)


def test_greedy_with_a_cache_is_greedy_without(model, config):
    batch = one_batch(config)
    ids, pixels = batch.ids_BL[:1], batch.pixels_PCSS
    said = model.greedy(ids, pixels, end=-1, at_most=12)
    expected = []
    with torch.inference_mode():
        for _ in range(12):
            row = torch.cat([ids, torch.tensor([expected], dtype=torch.long)], dim=1)
            expected.append(int(model.language(inputs_embeds=model.embed(row, pixels)).logits[0, -1].argmax()))
    assert said == expected
    assert model.greedy(ids, pixels, end=said[0], at_most=12) == []


def test_blank_pictures_are_all_the_same(config):
    pixels = [torch.full((64, 64, 3), shade).byte().numpy() for shade in (0, 9)]
    examples = [Example([0, *([IMAGE] * 16)], [UNLABELLED] * 17, p) for p in pixels]
    seen = collate(examples, 64, blank_pictures=False).pixels_PCSS
    blank = collate(examples, 64, blank_pictures=True).pixels_PCSS
    assert seen.shape == blank.shape
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(blank[0], blank[1])
