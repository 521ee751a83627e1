"""The port against a second reading of the same network, and against sentences that nobody doubts."""

import io
import pickle

import h5py
import numpy as np
import pytest

from curate.errors import ModelError
from filters.toxicity.tox_block import MODEL, NETWORK, OUTPUTS, TOKENIZER, load, read_tokenizer

INSULTING = (
    "you are a stupid idiot",
    "shut up you moron",
    "what a disgusting piece of shit",
    "fuck off, nobody likes you",
    "you pathetic loser, I hate you",
)
HARMLESS = (
    "A great blue heron.",
    "two children build a sandcastle on the beach",
    "a bowl of fresh strawberries on a wooden table",
    "portrait of an old man with a beard",
    "the parliament building at night",
    "a dog catching a frisbee in the park",
)


@pytest.fixture(scope="module")
def folder():
    return MODEL.locate()


@pytest.fixture(scope="module")
def rate(folder):
    return load(folder, OUTPUTS)


def test_insults_score_high_and_harmless_captions_low(rate):
    assert (rate(INSULTING)[:, OUTPUTS.index("toxicity")] > 0.9).all()
    assert (rate(HARMLESS).max(axis=1) < 0.5).all()


def test_each_label_means_its_own_thing(rate):
    threat, insult = rate(["I will kill you and burn your house", "you are an ugly fool"])
    assert threat[OUTPUTS.index("threat")] > 0.5 > insult[OUTPUTS.index("threat")]


def test_columns_come_in_the_order_asked_for(folder, rate):
    swapped = load(folder, OUTPUTS[::-1])
    np.testing.assert_array_equal(swapped(INSULTING), rate(INSULTING)[:, ::-1])


def test_does_not_depend_on_the_batch(rate):
    texts = [f"{word} you idiot number {i}" for i, word in enumerate(("hello", "dear", "damn") * 100)]
    together = rate(texts)
    np.testing.assert_allclose(rate(texts[7:8])[0], together[7], atol=1e-5)
    np.testing.assert_allclose(rate(texts[::-1])[::-1], together, atol=1e-5)


def test_agrees_with_the_equations_in_plain_numpy(folder, rate):
    text = "You're a STUPID idiot!! go away"
    with (folder / TOKENIZER).open("rb") as stream:
        index = read_tokenizer(stream).word_index
    words = [index[w] for w in ("you're", "a", "stupid", "idiot", "go", "away")]
    np.testing.assert_allclose(rate([text])[0], reference(folder, words), atol=1e-5)


def reference(folder, words):
    """One text, one step and one gate at a time, from Keras's own definitions."""
    with h5py.File(folder / NETWORK) as file:
        root = file["model_weights"]
        inputs = root["embedding/embedding/embeddings:0"][()][[0] * (100 - len(words)) + words]
        both = []
        for way, steps in (("forward", inputs), ("backward", inputs[::-1])):
            layer = root[f"bidirectional/bidirectional/{way}_lstm"]
            both.append(lstm(steps, *(layer[f"{n}:0"][()] for n in ("kernel", "recurrent_kernel", "bias"))))
        hidden = np.concatenate([np.max(states, axis=0) for states in both])
        dense, last = ([root[f"{n}/{n}/{part}:0"][()] for part in ("kernel", "bias")] for n in ("dense", "dense_1"))
    return 1 / (1 + np.exp(-(np.maximum(hidden @ dense[0] + dense[1], 0) @ last[0] + last[1])))


def lstm(steps, kernel, recurrent, bias):
    hidden = cell = np.zeros(50)
    states = []
    for x in steps:
        z = (x @ kernel + hidden @ recurrent + bias).reshape(4, 50)
        i, f, o = (np.clip(0.2 * z[g] + 0.5, 0, 1) for g in (0, 1, 3))
        cell = f * cell + i * np.tanh(z[2])
        hidden = o * np.tanh(cell)
        states.append(hidden)
    return states


class Attack:
    def __reduce__(self):
        return (exec, ("raise AssertionError('code in a pickle ran')",))


def test_code_in_a_pickled_tokenizer_does_not_run():
    with pytest.raises(pickle.UnpicklingError, match="exec"):
        read_tokenizer(io.BytesIO(pickle.dumps(Attack())))


def test_broken_files_are_model_errors(tmp_path, folder):
    (tmp_path / NETWORK).write_bytes(b"no network")
    with pytest.raises(ModelError, match="Reinstall tox-block"):
        load(tmp_path, OUTPUTS)
    (tmp_path / NETWORK).unlink()
    (tmp_path / NETWORK).symlink_to(folder / NETWORK)
    (tmp_path / TOKENIZER).write_bytes(pickle.dumps(Attack()))
    with pytest.raises(ModelError, match="not the tokenizer"):
        load(tmp_path, OUTPUTS)
