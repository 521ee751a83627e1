"""Tiny random CLIP and SigLIP checkpoints, scored by our code and by transformers itself."""

import json

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
    CLIPTokenizer,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

from curate.errors import ModelError
from filters.alignment.clip import load

TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {**TOWER, "image_size": 16, "patch_size": 8}
TEXTS = ["a cat", "a", "tac at a cat", "a cat " * 40, "cat at"]
LETTERS = ["a", "c", "t"]
VOCABULARY = [*LETTERS, *(f"{c}</w>" for c in LETTERS), "<|startoftext|>", "<|endoftext|>"]
TEXT = {**TOWER, "vocab_size": len(VOCABULARY), "bos_token_id": 6, "eos_token_id": 7, "pad_token_id": 7}


def build(config, model, processor, folder):
    torch.manual_seed(0)
    network = model(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.3)
    network.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(VOCABULARY)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    processor.save_pretrained(folder)
    return network, tokenizer, processor


@pytest.fixture
def clip(tmp_path):
    config = CLIPConfig(
        text_config={**TEXT, "max_position_embeddings": 20, "projection_dim": 12},
        vision_config={**VISION, "projection_dim": 12},
        projection_dim=12,
    )
    processor = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    return tmp_path, *build(config, CLIPModel, processor, tmp_path)


@pytest.fixture
def siglip(tmp_path):
    config = SiglipConfig(
        text_config={**TEXT, "max_position_embeddings": 20, "projection_size": 16}, vision_config=VISION
    )
    processor = SiglipImageProcessorPil(size={"height": 16, "width": 16})
    return tmp_path, *build(config, SiglipModel, processor, tmp_path)


@pytest.fixture
def pictures():
    random = np.random.default_rng(0)
    sizes = ((40, 30), (16, 16), (17, 90), (64, 64), (5, 7))
    return [Image.fromarray(random.integers(0, 256, (h, w, 3), np.uint8)) for w, h in sizes]


def cosines(folder, pictures):
    towers = load(folder)
    return towers.embed_pictures([towers.prepare(p) for p in pictures]) @ towers.embed_texts(TEXTS).T


def test_cosines_are_the_logits_of_clip(clip, pictures):
    folder, network, tokenizer, processor = clip
    texts = tokenizer(TEXTS, padding=True, truncation=True, max_length=20, return_tensors="pt")
    with torch.no_grad():
        out = network(**texts, pixel_values=processor(images=pictures, return_tensors="pt")["pixel_values"])
        expected = out.logits_per_image / network.logit_scale.exp()
    assert np.ptp(expected.numpy()) > 0.05
    np.testing.assert_allclose(cosines(folder, pictures), expected.numpy(), atol=1e-5)


def test_cosines_are_the_logits_of_siglip(siglip, pictures):
    folder, network, tokenizer, processor = siglip
    texts = tokenizer(TEXTS, padding="max_length", truncation=True, max_length=20, return_tensors="pt")
    with torch.no_grad():
        out = network(
            input_ids=texts["input_ids"],
            attention_mask=texts["attention_mask"],
            pixel_values=processor(images=pictures, return_tensors="pt")["pixel_values"],
        )
        expected = (out.logits_per_image - network.logit_bias) / network.logit_scale.exp()
    assert np.ptp(expected.numpy()) > 0.05
    np.testing.assert_allclose(cosines(folder, pictures), expected.numpy(), atol=1e-5)


def test_texts_do_not_depend_on_their_batch(clip):
    towers = load(clip[0])
    alone = np.concatenate([towers.embed_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(towers.embed_texts(TEXTS * 30)[-len(TEXTS) :], alone, atol=1e-5)


def test_checkpoint_without_two_towers_is_refused(clip):
    folder = clip[0]
    BertModel(BertConfig(**TOWER, vocab_size=8)).save_pretrained(folder)
    with pytest.raises(ModelError, match="needs a CLIP or SigLIP checkpoint"):
        load(folder)


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(ModelError, match="not a checkpoint"):
        load(tmp_path)
