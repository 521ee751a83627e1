"""A tiny random checkpoint in Detoxify's format, scored by our code and by Detoxify's own."""

import numpy as np
import pytest
import tiny_detoxify
import torch
from detoxify import Detoxify
from tiny_detoxify import ORIGINAL, UNBIASED

from curate.errors import ModelError
from filters.toxicity import LABELS, Toxicity
from filters.toxicity.detoxify import load
from filters.toxicity.raters import labels_of

TEXTS = ["a red boat", "you are a fool", "boat fool " * 100, "a", "you red fool are a boat", "a red boat you are"]
LAYOUTS = [("bert", ORIGINAL), ("bert", UNBIASED), ("roberta", UNBIASED)]


@pytest.fixture(params=LAYOUTS, ids=["original", "unbiased", "unbiased_roberta"])
def layout(request):
    return request.param


@pytest.fixture
def encoder(tmp_path, layout):
    kind, classes = layout
    return tiny_detoxify.encoder(tmp_path, classes, kind)


@pytest.fixture
def release(tmp_path, encoder, layout):
    return tiny_detoxify.release(tmp_path, encoder, layout[1])


def test_scores_are_those_of_detoxify_by_any_label(release, layout):
    expected = Detoxify(checkpoint=str(release / "toxic.ckpt")).predict(TEXTS)
    labels = labels_of("original" if layout[1] is ORIGINAL else "unbiased")
    assert set(labels) == set(expected)
    rated = load(release, labels, whole=False)(TEXTS)
    assert np.ptp(rated, axis=0).min() > 1e-3
    np.testing.assert_allclose(rated, np.stack([expected[label] for label in labels], axis=1), atol=1e-5)


def test_long_text_scores_as_the_worst_of_its_windows(release):
    """Windows of 30 words and two marks that share 15: each is a text that the encoder reads whole."""
    words = ("a red boat you are fool fool boat " * 10).split()
    parts = [" ".join(words[start : start + 30]) for start in range(0, len(words) - 15, 15)]
    np.testing.assert_allclose(
        load(release, LABELS)([" ".join(words)])[0], load(release, LABELS)(parts).max(axis=0), atol=1e-5
    )


@pytest.mark.parametrize(("precision", "off_by"), [("bfloat16", 0.05), ("int8", 0.1)])
def test_lower_precision_is_near_and_is_really_lower(release, precision, off_by):
    exact, lower = load(release, LABELS)(TEXTS), load(release, LABELS, precision)(TEXTS)
    np.testing.assert_allclose(lower, exact, atol=off_by)
    assert np.abs(lower - exact).max() > 1e-4


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
    with pytest.raises(ModelError, match=r"does not tell toxicity.*`kinds`"):
        load(release, LABELS)
