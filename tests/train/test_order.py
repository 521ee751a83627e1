import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.train.order import permute, sampler


@settings(derandomize=True, deadline=None, max_examples=60)
@given(size=st.integers(1, 600), key=st.tuples(st.integers(0, 2**40), st.integers(0, 50)))
def test_every_place_is_taken_once(size, key):
    assert sorted(permute(p, size, *key) for p in range(size)) == list(range(size))


def test_order_is_the_same_on_every_machine():
    assert [permute(p, 10, 3, 1) for p in range(10)] == [1, 0, 7, 2, 4, 5, 8, 3, 9, 6]
    assert permute(123_456_789, 10**12, 7) == 649516822078


def test_epochs_and_seeds_differ():
    first, second = ([permute(p, 1000, 0, e) for p in range(1000)] for e in (0, 1))
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 10
    assert first != [permute(p, 1000, 1, 0) for p in range(1000)]


def test_neighbours_are_scattered():
    places = [permute(p, 10_000, 5) for p in range(10_000)]
    steps = [abs(a - b) for a, b in itertools.pairwise(places)]
    assert 3000 < sum(steps) / len(steps) < 3700  # a third of the range, as for uniform draws


@pytest.mark.parametrize("position", [-1, 5])
def test_a_position_outside_is_refused(position):
    with pytest.raises(ValueError, match="range"):
        permute(position, 5, 0)


def test_held_out_samples_are_never_trained_on_and_each_epoch_covers_the_rest():
    training, held_out = sampler(50, 8, seed=4)
    kept = {held_out(p) for p in range(8)}
    epochs = [[training(p) for p in range(e * 42, e * 42 + 42)] for e in range(3)]
    assert all(set(epoch) == set(range(50)) - kept for epoch in epochs)
    assert len(kept) == 8
    assert epochs[0] != epochs[1]
