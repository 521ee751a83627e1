"""The references themselves: they say something, the same each time, and where two exist, the same."""

import pytest
import torch

from . import composed_reference as composed
from . import hf_reference as hf
from . import lavis_reference as lavis
from .reference import NEW_TOKENS, assert_same
from .tiny import IMAGE_TOKEN, QFORMER

BUILDERS = {
    "blip2_stage_one": lavis.stage_one,
    "blip2_itm": lambda: hf.blip2_itm(lavis.stage_one_batch()),
    "blip2_opt": hf.blip2_opt,
    "blip2_t5": hf.blip2_t5,
    "instructblip_llama": hf.instructblip_llama,
    "instructblip_t5": hf.instructblip_t5,
    "llava": lambda: hf.llava("linear"),
    "llava_1_5": lambda: hf.llava("mlp2x_gelu"),
    "minigpt4": composed.minigpt4,
    "fromage": composed.fromage,
    "fromage_vis4": lambda: composed.fromage(places=4),
}
SPEAKING = [name for name in BUILDERS if name not in {"blip2_stage_one", "blip2_itm"}]
LAST_TEXT = ("qformer.encoder.layer.3.intermediate.", "qformer.encoder.layer.3.output.")
"""Of the last layer only what queries say is read."""
LAST_OF_CLIP = ("model.vision_tower.vision_model.encoder.layers.2.", "model.vision_tower.vision_model.post_layernorm.")
UNREACHED = {
    "blip2_itm": ("vision_projection", "text_projection", *LAST_TEXT),
    "instructblip_llama": LAST_TEXT,
    "instructblip_t5": LAST_TEXT,
    "llava": LAST_OF_CLIP,
    "llava_1_5": LAST_OF_CLIP,
}
"""Weights that a reference has and its losses do not depend on."""


@pytest.fixture(scope="module", params=BUILDERS)
def twice(request):
    build = BUILDERS[request.param]
    return request.param, build(), build()


def test_a_reference_is_finite_and_the_same_when_built_again(twice):
    _, first, second = twice
    for part in ("state", "given", "outputs", "losses", "gradients"):
        tensors = getattr(first, part)
        assert all(t.isfinite().all() for t in tensors.values()), part
        assert_same(tensors, getattr(second, part), tolerance=0)
    assert first.said == second.said
    assert first.losses
    assert not first.model.training


def test_losses_depend_on_every_weight_but_the_named_ones(twice):
    name, reference, _ = twice
    weights = {n: p.shape for n, p in reference.model.named_parameters()}
    reached = {n: shape for n, shape in weights.items() if not n.startswith(UNREACHED.get(name, ("-",)))}
    assert {n: g.shape for n, g in reference.gradients.items()} == reached


def test_weights_are_in_float32_and_none_is_a_copy_or_constant(twice):
    _, reference, _ = twice
    weights = [p for p in reference.model.parameters() if p.ndim]
    assert {p.dtype for p in weights} == {torch.float32}
    assert all(p.unique().numel() > 1 for p in weights)
    assert len({p.flatten()[:4].sum().item() for p in weights}) == len(weights)


@pytest.mark.parametrize("name", SPEAKING)
def test_what_is_said_with_a_cache_is_said_without(name):
    reference = BUILDERS[name]()
    assert [len(row) for row in reference.said] == [NEW_TOKENS] * len(reference.asked)
    assert IMAGE_TOKEN not in {token for row in reference.said for token in row}
    if not name.endswith("t5"):
        assert [composed.repeated(reference.model, prompt) for prompt in reference.asked] == reference.said


@pytest.mark.parametrize("name", ["blip2_t5", "instructblip_t5"])
def test_what_a_decoder_says_is_the_likeliest_at_each_place(name):
    reference = BUILDERS[name]()
    for prompt, said in zip(reference.asked, reference.said, strict=True):
        with torch.no_grad():
            logits = reference.model(**prompt, decoder_input_ids=torch.tensor([[0, *said[:-1]]])).logits
        assert logits[0].argmax(-1).tolist() == said


def test_losses_are_the_cross_entropy_of_labels():
    for build in (hf.blip2_opt, hf.instructblip_llama, composed.minigpt4):
        reference = build()
        loss = composed.next_token_loss(reference.outputs["logits"], reference.given["labels"])
        torch.testing.assert_close(loss, reference.losses["tokens"])


@pytest.fixture(scope="module")
def stage_one():
    return lavis.stage_one()


@pytest.fixture(scope="module")
def twin(stage_one):
    """The first stage of transformers with LAVIS's weights."""
    model = hf.retrieval_model()
    model.load_state_dict(lavis.for_transformers(stage_one.state))
    return model


@torch.no_grad()
def test_lavis_and_transformers_are_one_qformer(stage_one, twin):
    given = stage_one.given
    ids, seen = given["input_ids"], given["attention_mask"]
    image = twin.vision_model(given["pixel_values"]).last_hidden_state
    queries = twin.query_tokens.expand(len(image), -1, -1)
    text = twin.embeddings(input_ids=ids)
    both = twin.embeddings(input_ids=ids, query_embeds=queries)
    everything = torch.nn.functional.pad(seen, (QFORMER.queries, 0), value=1)
    looks = {"encoder_hidden_states": image}
    found = {
        "image": image,
        "queries": twin.qformer(query_embeds=queries, **looks).last_hidden_state,
        "text": twin.qformer(query_embeds=text, query_length=0, attention_mask=seen).last_hidden_state,
        "both": twin.qformer(
            query_embeds=both, query_length=QFORMER.queries, attention_mask=everything, **looks
        ).last_hidden_state,
        "itm": twin(**hf_batch(given), use_image_text_matching_head=True).logits_per_image,
    }
    shown = {name: stage_one.outputs[name] for name in found}
    seen_text = seen.bool().unsqueeze(-1)
    hidden = {"text": seen_text, "both": torch.nn.functional.pad(seen_text, (0, 0, QFORMER.queries, 0), value=True)}
    for name, places in hidden.items():  # what padding says of itself, nobody reads
        found[name], shown[name] = found[name] * places, shown[name] * places
    assert_same(found, shown, tolerance=2e-6)


@torch.no_grad()
def test_lavis_and_transformers_agree_on_how_alike_picture_and_text_are(stage_one, twin):
    alike = twin(**hf_batch(stage_one.given), use_image_text_matching_head=False).logits_per_image
    pictures, captions = stage_one.outputs["image_shared"], stage_one.outputs["text_shared"]
    torch.testing.assert_close(alike, (pictures @ captions.T).amax(1), atol=1e-6, rtol=1e-6)


def hf_batch(given):
    return {name: given[name] for name in ("pixel_values", "input_ids", "attention_mask")}


def test_contrast_is_smoothed_and_divided_by_the_temperature(stage_one):
    alike = (stage_one.outputs["image_shared"] @ stage_one.outputs["text_shared"].T).amax(1) / stage_one.state["temp"]
    pairs = torch.arange(len(alike))
    both = [torch.nn.functional.cross_entropy(t, pairs, label_smoothing=0.1) for t in (alike, alike.T)]
    torch.testing.assert_close(torch.stack(both).mean(), stage_one.losses["loss_itc"])


def test_hard_negatives_are_those_given(stage_one):
    """The loss of matching is that of the pairs, and of each text and picture with its negative."""
    model, given = stage_one.model, stage_one.given
    image, text = given["image_negatives"], given["text_negatives"]
    own = torch.arange(len(image))
    logits = [paired(model, given, *pair) for pair in ((own, own), (image, own), (own, text))]
    labels = torch.tensor([1] * len(own) + [0] * 2 * len(own))
    loss = torch.nn.functional.cross_entropy(torch.cat(logits), labels)
    torch.testing.assert_close(loss, stage_one.losses["loss_itm"])


def paired(model, given, pictures, texts):
    batch = {"pixel_values": given["pixel_values"][pictures]}
    batch |= {name: given[name][texts] for name in ("input_ids", "attention_mask")}
    return lavis.paths(model, batch)["itm"]


def test_captions_loss_is_smoothed(stage_one):
    targets = stage_one.given["input_ids"].masked_fill(stage_one.given["attention_mask"] == 0, -100)[:, 1:]
    logits = stage_one.outputs["caption"][:, :-1].flatten(0, 1)
    loss = torch.nn.functional.cross_entropy(logits, targets.flatten(), label_smoothing=0.1)
    torch.testing.assert_close(loss, stage_one.losses["loss_lm"])
