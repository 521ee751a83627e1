"""The model against the published counts, transformers' own LLaVA, and its own arithmetic."""

from dataclasses import replace

import pytest
import torch
from transformers import LlavaConfig, LlavaForConditionalGeneration

from curate.train.architectures.llava import Llava
from curate.train.batch import Example, Text
from curate.train.corpus import Drawn, collate
from curate.train.decoder import Decoding
from curate.train.pictures import Transform
from curate.train.presets import configure, presets
from curate.train.template import IMAGE, UNLABELLED, Tokens

from ..shapes import TINY  # noqa: TID252 - the folder's neighbours


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
    spoken = Tokens(text, [UNLABELLED] * 6 + text[6:])
    examples = [Example(Tokens(ids, labels), picture=pixels), Example(spoken)]
    return collate(Drawn(examples, [0, 1], []), Transform(64))


@pytest.mark.counts
@pytest.mark.parametrize(
    ("trainable", "counted"),
    [(("projector",), 20_979_712), (("projector", "language"), 6_759_395_328)],
)
def test_seven_billion_preset_has_the_published_counts(trainable, counted):
    config = presets()["llava-1.5-7b"].model_copy(update={"trainable": trainable})
    with torch.device("meta"):
        model = Llava(config)
    assert count(model.parameters()) == 7_062_902_784
    assert count(model.projector.parameters()) == 20_979_712
    assert count(p for p in model.parameters() if p.requires_grad) == counted


@pytest.mark.counts
def test_first_version_has_a_linear_projector():
    config = presets()["llava-1.5-7b"].model_copy(update={"projector": "linear"})
    with torch.device("meta"):
        assert count(Llava(config).projector.parameters()) == 4_198_400


def test_tiny_preset_is_about_two_million_and_all_of_it_learns():
    model = Llava(presets()["llava-tiny"])
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
    ids = batch.text.ids_BL[:1].masked_fill(batch.text.ids_BL[:1] == IMAGE, token)
    with torch.inference_mode():
        ours = model.language(inputs_embeds=model.embed(one_row(batch, 0, slice(None)))).logits
        reference = theirs(input_ids=ids, pixel_values=batch.pictures).logits
    torch.testing.assert_close(ours, reference, atol=1e-5, rtol=1e-5)


def test_loss_is_the_cross_entropy_of_labelled_tokens(model, config):
    batch = one_batch(config)
    with torch.inference_mode():
        logits = model.language(inputs_embeds=model.embed(batch), attention_mask=batch.text.mask_BL).logits
        logits, loss = logits.log_softmax(-1), model(batch)["tokens"]
    expected = 0.0
    for row, labels in enumerate(batch.text.labels_BL.tolist()):
        for place, label in enumerate(labels):
            if label != UNLABELLED:
                expected -= float(logits[row, place - 1, label])
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert model.count(batch) == {"tokens": 6 + 4}


def test_loss_does_not_depend_on_what_shares_the_batch(model, config):
    batch = one_batch(config)
    rows = [one_row(batch, 0, slice(None)), one_row(batch, 1, slice(0, 10))]
    with torch.inference_mode():
        together = float(model(batch)["tokens"])
        alone = sum(float(model(row)["tokens"]) for row in rows)
    assert together == pytest.approx(alone, rel=1e-5)


def one_row(batch, row, places):
    text = batch.text
    parts = (t[row : row + 1, places] for t in (text.ids_BL, text.labels_BL, text.mask_BL))
    pixels = batch.pictures if row == 0 else batch.pictures[:0]
    return replace(batch, text=Text(*parts), pictures=pixels, places_B=batch.places_B[row : row + 1])


def test_places_and_features_must_match(model, config):
    batch = one_batch(config)
    with pytest.raises(ValueError, match="places for features"):
        model.embed(one_row(batch, 0, slice(7, None)))


def test_greedy_with_a_cache_is_greedy_without(model, config):
    row = one_row(one_batch(config), 0, slice(None))
    (said,) = model.generate(row, Decoding(12, ends=(config.language.vocabulary - 1,)))
    embeds = model.embed(row)
    expected = []
    with torch.inference_mode():
        for _ in range(12):
            words = model.language.get_input_embeddings()(torch.tensor([expected], dtype=torch.long))
            logits = model.language(inputs_embeds=torch.cat([embeds, words], dim=1)).logits
            expected.append(int(logits[0, -1].argmax()))
    assert said == expected
    assert model.generate(row, Decoding(12, ends=(said[0],))) == [[]]


def test_an_answer_does_not_depend_on_what_it_is_asked_together_with(model, config):
    batch, how = one_batch(config), Decoding(8, ends=(config.language.vocabulary - 1,))
    alone = [model.generate(one_row(batch, n, slice(0, (None, 10)[n])), how)[0] for n in (0, 1)]
    assert model.generate(batch, how) == alone


def test_blank_pictures_are_all_the_same(config):
    pixels = [torch.full((64, 64, 3), shade).byte().numpy() for shade in (0, 9)]
    tokens = Tokens([0, *([IMAGE] * 16)], [UNLABELLED] * 17)
    drawn = Drawn([Example(tokens, picture=p) for p in pixels], [0, 1], [])
    seen, blank = (collate(drawn, Transform(64), blank_pictures=b).pictures for b in (False, True))
    assert seen.shape == blank.shape
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(blank[0], blank[1])
