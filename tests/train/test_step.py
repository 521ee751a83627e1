"""The gradient of a step does not depend on how its samples are spread over micro-batches."""

import pytest
import torch

from curate.train.corpus import Corpus
from curate.train.learner import begin
from curate.train.mixture import open_mixture
from curate.train.presets import configure
from curate.train.ranks import Ranks
from curate.train.sharding import Placement
from curate.train.step import Work, gradients

from .shapes import draw, sample
from .tiny import SMALL

SAMPLES = 12


@pytest.fixture(scope="module", params=sorted(SMALL))
def learning(request, shapes_run):
    """A learner, its corpus, and the gradient of twelve samples that pass the model at once."""
    learner, corpus = beginning(request.param, shapes_run)
    return learner, corpus, gradient(learner, corpus, SAMPLES)


def beginning(preset, data):
    config = configure(preset, {**SMALL[preset], "batch_size": str(SAMPLES)})
    mixture = open_mixture([data], config)
    learner = begin(config, mixture, Placement())
    return learner, Corpus(mixture, config, learner.examples)


def gradient(learner, corpus, size, number=3):
    learner.optimizer.zero_grad(set_to_none=True)
    micros = [corpus.collate(corpus.draw(range(n, min(n + size, SAMPLES)))) for n in range(0, SAMPLES, size)]
    learned = gradients(learner.model, Work(micros, number, Ranks()))
    return learned, {name: p.grad.clone() for name, p in learner.model.learns().items() if p.grad is not None}


def close(one, other):
    """Compare gradients as one vector: adding in another order costs about a millionth of its length."""
    assert one.keys() == other.keys()
    whole = torch.cat([g.flatten() for g in one.values()])
    parts = torch.cat([g.flatten() for g in other.values()])
    assert float((whole - parts).norm() / whole.norm()) < 3e-6


@pytest.mark.parametrize("size", [2, 4, 6, 8])
def test_micro_batches_give_the_gradient_of_the_whole_batch(learning, size):
    learner, corpus, (learned, whole) = learning
    again, parts = gradient(learner, corpus, size)
    assert again.counts == learned.counts
    assert again.means == pytest.approx(learned.means, rel=1e-5)
    close(whole, parts)


UNREAD = ("vision.encoder.layers.1.", "vision.post_layernorm", "vision.embeddings.class", "layers.1.text_feedforward.")
"""LLaVA reads the last but one of CLIP's states, no class token; of InstructBLIP's Q-Former only queries go on."""


def test_every_part_that_learns_gets_a_gradient(learning):
    learner, _, (_, whole) = learning
    silent = {name for name in learner.model.learns() if name not in whole or not whole[name].abs().max()}
    assert {name for name in silent if not any(part in name for part in UNREAD)} == set()


def test_the_mean_is_over_tokens_not_over_micro_batches(learning):
    """The plain loss of all samples together, without anything of step.py."""
    learner, corpus, (learned, _) = learning
    with torch.no_grad():
        sums = learner.model(corpus.collate(corpus.draw(range(SAMPLES))))
    for name, mean in learned.means.items():
        assert float(sums[name]) / learned.counts[name] == pytest.approx(mean, rel=1e-5)


def test_a_long_answer_weighs_by_its_tokens(make_run):
    """Answers of 1 to 81 words, one by one and all at once; and the loss is no mean of their means."""
    answers = [" ".join(f"word{w % 7}" for w in range(3 ** (n % 5))) for n in range(SAMPLES)]
    seen = draw("red", "circle", "left")
    data = make_run(sample(str(n), seen, "<image>\nWhat is it?", f"{a}.") for n, a in enumerate(answers))
    learner, corpus = beginning("llava-tiny", data)
    learned, whole = gradient(learner, corpus, SAMPLES)
    again, parts = gradient(learner, corpus, 1)
    close(whole, parts)
    assert again.counts == learned.counts
    assert again.means == pytest.approx(learned.means, rel=1e-5)
    with torch.no_grad():
        batches = [corpus.collate(corpus.draw([n])) for n in range(SAMPLES)]
        means = [float(learner.model(batch)["tokens"]) / batch.text.labelled for batch in batches]
    assert abs(sum(means) / SAMPLES - learned.means["tokens"]) > 1e-4
