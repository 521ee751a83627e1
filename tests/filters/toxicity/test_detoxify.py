"""A tiny random checkpoint in Detoxify's format, scored by our code and by Detoxify's own."""

import numpy as np
import pytest
import torch
from detoxify import Detoxify
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from curate.errors import ModelError
from filters.toxicity import LABELS, Toxicity
from filters.toxicity.detoxify import load

# Detoxify's `original` uses the competition's names, `unbiased` its own and more of them, in another order.
ORIGINAL = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
UNBIASED = ["toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit"]
TEXTS = ["a red boat", "you are a fool", "boat " * 200, "a", "you red fool are a boat", "a red boat you are"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "boat", "you", "are", "fool"]


@pytest.fixture(params=[ORIGINAL, UNBIASED], ids=["original", "unbiased"])
def classes(request):
    return request.param


@pytest.fixture
def encoder(tmp_path, classes):
    """Write configuration and tokenizer; return the network of random weights that belongs to them."""
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab=str(tmp_path / "vocab.txt"), model_max_length=32).save_pretrained(tmp_path)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        num_labels=len(classes),
        id2label=dict(enumerate(classes)),
        initializer_range=0.5,
    )
    torch.manual_seed(0)
    network = BertForSequenceClassification(config)
    config.save_pretrained(tmp_path)
    return network


@pytest.fixture
def release(tmp_path, encoder, classes):
    """The folder of a checkpoint as Detoxify publishes them."""
    args = {
        "model_type": str(tmp_path),
        "model_name": "BertForSequenceClassification",
        "tokenizer_name": "BertTokenizerFast",
        "num_classes": len(classes),
    }
    config = {"arch": {"args": args}, "dataset": {"args": {"classes": classes}}}
    torch.save({"config": config, "state_dict": encoder.state_dict()}, tmp_path / "toxic.ckpt")
    return tmp_path


def test_scores_are_those_of_detoxify(release):
    expected = Detoxify(checkpoint=str(release / "toxic.ckpt")).predict(TEXTS)
    rated = load(release, LABELS)(TEXTS)
    assert np.ptp(rated, axis=0).min() > 1e-3
    np.testing.assert_allclose(rated, np.stack([expected[label] for label in LABELS], axis=1), atol=1e-5)


def test_release_and_hub_layouts_score_alike(release, encoder):
    rated = load(release, LABELS)(TEXTS)
    (release / "toxic.ckpt").unlink()
    encoder.save_pretrained(release)
    np.testing.assert_allclose(load(release, LABELS)(TEXTS), rated, atol=1e-6)


def test_does_not_depend_on_the_batch(release):
    rate = load(release, LABELS)
    texts = [" ".join(TEXTS[i % 6].split()[: 1 + i % 5]) for i in range(70)]
    together = rate(texts)
    np.testing.assert_allclose(np.concatenate([rate([text]) for text in texts]), together, atol=1e-5)


def test_stage_takes_the_folder(release):
    stage = Toxicity(model=str(release))
    before = stage.identity()
    with (release / "toxic.ckpt").open("ab") as stream:
        stream.write(b"changed")
    assert stage.identity() != before


class Attack:
    def __reduce__(self):
        return (exec, ("raise AssertionError('code in a checkpoint ran')",))


def test_code_in_a_checkpoint_does_not_run(release):
    torch.save({"config": {}, "state_dict": {}, "extra": Attack()}, release / "toxic.ckpt")
    with pytest.raises(ModelError, match=r"toxic\.ckpt cannot be loaded"):
        load(release, LABELS)


def test_two_checkpoints_are_ambiguous(release):
    (release / "other.ckpt").write_bytes(b"")
    with pytest.raises(ModelError, match=r"2 \.ckpt files"):
        load(release, LABELS)


def test_folder_without_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"no \.ckpt"):
        load(tmp_path, LABELS)


def test_model_without_one_of_the_labels(release, encoder):
    (release / "toxic.ckpt").unlink()
    encoder.config.id2label = {i: f"LABEL_{i}" for i in range(encoder.config.num_labels)}
    encoder.save_pretrained(release)
    with pytest.raises(ModelError, match="does not tell toxicity"):
        load(release, LABELS)
