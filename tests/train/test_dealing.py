"""The order of a mixture: shares, epochs of each source, and the inverse that lineage rests on."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import TrainError
from curate.train.dealing import SLOTS, Together, Weighted, deal
from curate.train.order import permute, positions, sampler, unpermute

WEIGHTS = st.lists(st.integers(1, 50), min_size=1, max_size=5)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(size=st.integers(1, 600), key=st.tuples(st.integers(0, 2**40), st.integers(0, 50)))
def test_the_inverse_of_a_permutation(size, key):
    assert [unpermute(permute(p, size, *key), size, *key) for p in range(size)] == list(range(size))


def test_the_inverse_at_any_size():
    assert unpermute(649516822078, 10**12, 7) == 123_456_789
    with pytest.raises(ValueError, match="range"):
        unpermute(5, 5, 0)


def test_positions_of_a_sample_are_where_the_sampler_gives_it():
    training, held_out = sampler(20, 5, 3)
    given = [training(p) for p in range(45)]
    for index in range(20):
        found = positions(index, 20, 5, 3)
        if found is None:
            assert index in {held_out(n) for n in range(5)}
        else:
            assert [next(found) for _ in range(3)] == [p for p, i in enumerate(given) if i == index]


def test_one_run_keeps_the_order_it_always_had():
    order, (training, held_out) = Together([50], 8, 4), sampler(50, 8, 4)
    assert [order.training(p) for p in range(100)] == [(0, training(p)) for p in range(100)]
    assert [order.held_out(n) for n in range(8)] == [(0, held_out(n)) for n in range(8)]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=5).filter(sum), data=st.data())
def test_together_each_sample_has_one_place_in_an_epoch(sizes, data):
    held_out = data.draw(st.integers(0, sum(sizes) - 1))
    order, trained = Together(sizes, held_out, 1), sum(sizes) - held_out
    everything = {(s, i) for s, size in enumerate(sizes) for i in range(size)}
    kept = {order.held_out(n) for n in range(held_out)}
    for epoch in range(2):
        shown = [order.training(epoch * trained + p) for p in range(trained)]
        assert sorted(shown) == sorted(everything - kept)
    for at in everything:
        found = order.places(at, 2 * trained)
        assert (found is None) == (at in kept)
        assert all(order.training(place) == at for place in found or ())
        assert found is None or len(found) == 2


@settings(derandomize=True, deadline=None, max_examples=15)
@given(weights=WEIGHTS, seed=st.integers(0, 2**32))
def test_shares_of_any_stretch_follow_the_weights(weights, seed):
    order = Weighted([100] * len(weights), weights, 0, seed)
    drawn = [order.training(place)[0] for place in range(2 * SLOTS)]
    whole = Counter(drawn[:SLOTS])
    for source, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(whole[source] - share * SLOTS) < 1
        for start in (0, 777, SLOTS - 300):  # 5 deviations of a binomial draw, which a shuffled cycle stays under
            part = drawn[start : start + 600].count(source)
            assert abs(part - 600 * share) <= 5 * (600 * share * (1 - share)) ** 0.5 + 1


@settings(derandomize=True, deadline=None, max_examples=15)
@given(weights=WEIGHTS, data=st.data())
def test_a_source_shows_each_of_its_samples_once_before_it_shows_one_again(weights, data):
    sizes = [data.draw(st.integers(3, 3000)) for _ in weights]
    held_out = data.draw(st.integers(0, 2))
    order = Weighted(sizes, weights, held_out, 5)
    shown = [[] for _ in sizes]
    for place in range(2 * SLOTS):
        source, index = order.training(place)
        shown[source].append(index)
    kept = [order.held_out(n) for n in range(held_out)]
    assert len(set(kept)) == held_out
    for source, indices in enumerate(shown):
        own = set(range(sizes[source])) - {i for s, i in kept if s == source}
        for start in range(0, len(indices), len(own)):
            epoch = indices[start : start + len(own)]
            assert len(set(epoch)) == len(epoch)
            assert set(epoch) <= own


@settings(derandomize=True, deadline=None, max_examples=10)
@given(weights=WEIGHTS, place=st.integers(0, 10**9))
def test_a_place_is_a_function_of_itself_and_can_be_found_again(weights, place):
    sizes = [10**6] * len(weights)
    at = Weighted(sizes, weights, 0, 5).training(place)
    backwards = Weighted(sizes, weights, 0, 5)
    stretch = [backwards.training(p) for p in range(place + 50, place - 1, -1)]
    assert stretch[-1] == at
    assert Weighted(sizes, weights, 0, 6).training(place) != at or len(set(stretch)) == 1


def test_places_of_a_weighted_sample():
    order = Weighted([40, 7], [3, 1], 6, 2)
    shown = [order.training(place) for place in range(SLOTS + 500)]
    kept = {order.held_out(n) for n in range(6)}
    for at in [(s, i) for s, size in enumerate((40, 7)) for i in range(size)]:
        expected = None if at in kept else [place for place, found in enumerate(shown) if found == at]
        assert order.places(at, SLOTS + 500) == expected


def test_the_order_is_the_same_on_every_machine():
    order = Weighted([9, 5], [2, 1], 0, 0)
    assert [order.training(place) for place in (0, 1, 2, 5000, 5001, 10**12)] == [
        (0, 7), (0, 2), (0, 0), (1, 0), (0, 5), (0, 4),
    ]  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=100)
@given(count=st.integers(0, 5000), weights=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=9))
def test_dealing_is_whole_and_within_one_of_the_quota(count, weights):
    dealt = deal(count, weights)
    assert sum(dealt) == count
    assert all(abs(d - count * w / sum(weights)) < 1 for d, w in zip(dealt, weights, strict=True))


def test_equal_remainders_serve_the_first():
    assert deal(5, [1, 1, 1, 1]) == [2, 1, 1, 1]


@pytest.mark.parametrize(
    ("sizes", "weights", "held_out", "said"),
    [
        ([9, 9], [1, 1e-5], 0, "source 2: its weight is under 1/4096"),
        ([9, 0], [1, 1], 0, "source 2: holds 0 samples"),
        ([9, 1], [1, 1], 9, "source 2: holds 1 samples, of which held_out takes 1"),
    ],
)
def test_a_source_that_can_give_nothing_is_refused(sizes, weights, held_out, said):
    with pytest.raises(TrainError, match=said):
        Weighted(sizes, weights, held_out, 0)
