"""Picture encoders: held to transformers' own vectors on tiny checkpoints of random weights."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    Dinov2Config,
    Dinov2Model,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

from curate.errors import ModelError
from filters.embeddings.pictures import CLASSIFIER, load, load_small

SIZE = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
SEEN = {**SIZE, "image_size": 16, "patch_size": 8}


@pytest.fixture
def picture():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8))


def saved(network, folder):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.3)
    network.eval().save_pretrained(folder)
    processor = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    processor.save_pretrained(folder)
    return processor


def test_vector_is_the_one_that_clip_compares(tmp_path, picture):
    text = {**SIZE, "vocab_size": 9, "max_position_embeddings": 8, "bos_token_id": 0, "eos_token_id": 1}
    network = CLIPModel(CLIPConfig(text_config=text, vision_config=SEEN, projection_dim=12))
    processor = saved(network, tmp_path)
    with torch.no_grad():
        pixels = processor(images=picture, return_tensors="pt")["pixel_values"]
        out = network(input_ids=torch.tensor([[0, 2, 1]]), pixel_values=pixels)
    vector = load(tmp_path)(picture)
    np.testing.assert_allclose(vector / np.linalg.norm(vector), out.image_embeds[0].numpy(), atol=1e-5)


@pytest.mark.parametrize(("kind", "config"), [(ViTModel, ViTConfig), (Dinov2Model, Dinov2Config)])
def test_vector_of_a_vision_model_is_its_pooled_one(tmp_path, picture, kind, config):
    network = kind(config(**SEEN))
    processor = saved(network, tmp_path)
    with torch.no_grad():
        expected = network(**processor(images=picture, return_tensors="pt")).pooler_output[0]
    np.testing.assert_allclose(load(tmp_path)(picture), expected.numpy(), atol=1e-5)


def test_what_does_not_see_is_refused(tmp_path):
    with pytest.raises(ModelError, match="not a checkpoint that `embed_images` can load"):
        load(tmp_path)
    saved(BertModel(BertConfig(**SIZE, vocab_size=8)), tmp_path)
    with pytest.raises(ModelError, match="holds a BertModel; `embed_images` needs"):
        load(tmp_path)


def test_a_checkpoint_without_all_its_weights_is_refused(tmp_path):
    """A classifier has no pooler: transformers would draw one at random, another in each worker."""
    saved(ViTForImageClassification(ViTConfig(**SEEN)), tmp_path)
    with pytest.raises(ModelError, match=r"lacks weights of its ViTModel: pooler\."):
        load(tmp_path)


def test_the_small_one_knows_a_picture_in_another_size():
    embed = load_small(CLASSIFIER.locate())
    ramp = np.add.outer(np.arange(200) * 2, np.arange(240)).astype(np.uint8)
    one = Image.fromarray(ramp).convert("RGB")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 240, 3), np.uint8))
    vectors = np.stack([embed(p) for p in (one, one.resize((120, 100)), noise)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert vectors.shape == (3, 1280)
    assert vectors[0] @ vectors[1] > 0.95
    assert vectors[0] @ vectors[2] < 0.8


def test_wrong_weights_are_refused(tmp_path):
    with pytest.raises(ModelError, match="EfficientNet-Lite0"):
        load_small(tmp_path / "missing.pth")
