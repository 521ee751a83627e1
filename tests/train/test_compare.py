"""A comparing loss is one of all samples of a step, however they are spread over micro-batches and processes."""

from dataclasses import replace

import pytest
import torch

from curate.train.compare import Everyone
from curate.train.ranks import Ranks
from curate.train.step import Work, draws, gradients

from .pairs import Pairs, PairsConfig, batch, model, plain_loss
from .spread import spread

FROZEN = ("head", "words", "heat")
EVERY = PairsConfig.PARTS
EIGHT = range(8)


def gradient(made, micros, ranks=None):
    learned = gradients(made, Work(micros, 3, ranks or Ranks()))
    return learned, {name: p.grad for name, p in made.learns().items() if p.grad is not None}


def plain(trainable, numbers):
    made = model(trainable)
    loss = plain_loss(made, numbers)
    loss.backward()
    return float(loss.detach()), {name: p.grad for name, p in made.learns().items()}


def close(one, other):
    assert one.keys() == other.keys()
    for name, expected in one.items():
        assert float((other[name] - expected).abs().max()) < 1e-6, name


@pytest.mark.parametrize("trainable", [EVERY, FROZEN])
@pytest.mark.parametrize("cuts", [(8,), (4, 8), (7, 8), (3, 6, 8), tuple(range(1, 9))])
def test_micro_batches_have_the_gradient_of_the_plain_loss_of_all_samples(trainable, cuts):
    made = model(trainable)
    micros = [batch(range(start, end)) for start, end in zip((0, *cuts), cuts, strict=False)]
    learned, found = gradient(made, micros)
    loss, expected = plain(trainable, EIGHT)
    close(expected, found)
    assert learned.loss(made.WEIGHTS) == pytest.approx(loss, rel=1e-6)
    assert learned.counts == {"pairs": 8, "matches": 24, "tokens": sum(2 + n * 7 % 11 - 1 for n in EIGHT)}


def test_a_batch_alone_is_compared_with_itself():
    made, whole = model(), batch(EIGHT)
    with torch.no_grad():
        sums, counts = made(whole), made.count(whole)
    loss = sum(made.WEIGHTS[name] * float(value) / counts[name] for name, value in sums.items())
    assert loss == pytest.approx(plain(EVERY, EIGHT)[0], rel=1e-6)


def test_dropout_is_the_same_when_a_micro_batch_is_represented_again():
    """One graph over both micro-batches, each with its own draws, without any second pass."""
    micros = [batch(range(5)), batch(range(5, 8))]
    _, found = gradient(model(dropout=0.5), micros)
    made, sums = model(dropout=0.5), []
    work = Work(micros, 3, Ranks())
    for number, micro in enumerate(micros):
        with draws(made, work, number):
            sums.append(made.represent(micro))
    vectors = {name: torch.cat([s.vectors[name] for s in sums]) for name in ("pictures", "text")}
    loss = made.contrast(vectors, slice(0, 8))["pairs"] / 8
    everyone = Everyone({name: v.detach() for name, v in vectors.items()}, batch(EIGHT))
    for number, micro in enumerate(micros):
        with draws(made, work, number):
            loss = loss + made.match(micro, everyone)["matches"] / 24 / 2
    tokens = sum(micro.text.labelled for micro in micros)
    (loss + sum(s.sums["tokens"] for s in sums) / tokens / 4).backward()
    close({name: p.grad for name, p in made.learns().items()}, found)


def test_dropout_is_another_in_another_step():
    first, second, again = (
        gradients(model(dropout=0.5), Work([batch(EIGHT)], n, Ranks())).means["tokens"] for n in (3, 4, 3)
    )
    assert first == again
    assert first != second


CASES = {
    "one micro-batch each": ((EIGHT[:5],), (EIGHT[5:],)),
    "two micro-batches each": ((EIGHT[:3], EIGHT[3:4]), (EIGHT[4:5], EIGHT[5:])),
    "a micro-batch of nothing usable": ((EIGHT[:3], ()), (EIGHT[3:5], EIGHT[5:])),
    "the second process has nothing usable": ((EIGHT,), ((),)),
    "the first process has nothing usable, twice": (((), ()), (EIGHT[:6], EIGHT[6:])),
}
"""For each process its micro-batches."""


def shared(ranks):
    """Return what a process learns in each case."""
    results = {}
    for case, split in CASES.items():
        for trainable in (EVERY, FROZEN):
            micros = [batch(numbers) if numbers else replace(batch([9]), idle=True) for numbers in split[ranks.rank]]
            results[case, trainable] = gradient(model(trainable), micros, ranks)
    return results


@pytest.fixture(scope="module")
def of_two():
    return spread(2, shared)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("trainable", [EVERY, FROZEN])
def test_two_processes_have_the_gradient_of_the_plain_loss_of_all_samples(of_two, case, trainable):
    loss, expected = plain(trainable, EIGHT)
    for result in of_two:
        learned, found = result[case, trainable]
        close(expected, found)
        assert learned.loss(Pairs.WEIGHTS) == pytest.approx(loss, rel=1e-6)
        assert learned.counts["pairs"] == 8


def test_nothing_usable_leaves_no_gradient():
    learned, found = gradient(model(), [replace(batch([9]), idle=True)])
    assert (learned.means, learned.counts, found) == ({}, {"pairs": 0, "matches": 0, "tokens": 0}, {})
