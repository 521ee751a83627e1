"""What processes say to each other: rows, numbers, gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from curate.train import ranks as own
from curate.train.ranks import Ranks

from .spread import spread

SIZES = [3, 0, 2]
"""Rows of each process."""


def vectors():
    return torch.randn(sum(SIZES), 4, generator=torch.Generator().manual_seed(1), requires_grad=True)


def contrast(rows, start, stop):
    """A loss of some rows against all."""
    targets = torch.arange(start, stop)
    return functional.cross_entropy(rows[start:stop] @ rows.T, targets, reduction="sum")


def contrasted(ranks):
    start = sum(SIZES[: ranks.rank])
    stop = start + SIZES[ranks.rank]
    mine = vectors().detach()[start:stop].requires_grad_()
    rows = ranks.gather(mine, SIZES)
    contrast(rows, start, stop).backward()
    return rows.detach(), mine.grad


def said(ranks):
    """Return what each call gives, in each process."""
    numbers = ranks.gather(torch.full((SIZES[ranks.rank], 2), ranks.rank), SIZES)
    total = ranks.total({"a": 0.1 * ranks.rank, "b": 1e9 + ranks.rank})
    ranks.wait()
    return numbers, total, ranks.everyone({"rank": ranks.rank}), ranks.first


def added(ranks, bucket):
    """Gradients of 1, 2, 3 times rank + 1; the second process has none for the second, no process for the last."""
    own._BUCKET = bucket
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in ((2, 3), (4,), (), (5,))]
    for number, parameter in enumerate(parameters[:3], 1):
        if (number, ranks.rank) != (2, 1):
            parameter.grad = torch.full_like(parameter, float(number * (ranks.rank + 1)))
    ranks.add_gradients(parameters)
    return [p.grad for p in parameters]


def everything(ranks):
    return contrasted(ranks), said(ranks), [added(ranks, bucket) for bucket in (1, 7, 1 << 24)]


@pytest.fixture(scope="module")
def three():
    return spread(3, everything)


@pytest.mark.slow
def test_gradients_flow_back_to_whoever_made_a_row(three):
    rows = vectors()
    contrast(rows, 0, len(rows)).backward()
    expected = rows.grad.split(SIZES)
    for rank, ((gathered, gradient), *_) in enumerate(three):
        assert torch.equal(gathered, rows.detach())
        assert gradient.shape == expected[rank].shape
        torch.testing.assert_close(gradient, expected[rank], atol=1e-6, rtol=0)


@pytest.mark.slow
def test_everyone_hears_the_same(three):
    for rank, (_, (numbers, total, everyone, first), _) in enumerate(three):
        assert numbers.tolist() == [[0, 0]] * 3 + [[2, 2]] * 2
        assert total == {"a": pytest.approx(0.3), "b": 3e9 + 3}
        assert everyone == [{"rank": n} for n in range(3)]
        assert first == (rank == 0)


@pytest.mark.slow
@pytest.mark.parametrize("bucket", range(3))
def test_gradients_are_added_up_and_none_counts_as_zero(three, bucket):
    for _, _, buckets in three:
        *gradients, nobodys = buckets[bucket]
        assert nobodys is None
        assert [tuple(g.shape) for g in gradients] == [(2, 3), (4,), ()]
        assert [float(g.flatten()[-1]) for g in gradients] == [6.0, 8.0, 18.0]


def test_one_process_is_told_what_it_said():
    alone, rows = Ranks(), torch.ones(2, 3)
    parameter = nn.Parameter(torch.zeros(2))
    assert alone.gather(rows, [2]) is rows
    assert alone.total({"a": 0.1}) == {"a": 0.1}
    assert alone.everyone("x") == ["x"]
    alone.add_gradients([parameter])
    assert parameter.grad is None
    assert alone.first
