"""Counting by groups, and rates, against counting one by one."""

import numpy as np
import pytest
from scipy.stats import binom

from curate.audit.groups import Kind
from curate.audit.rates import WHOLE, amplification, error_lines, group_lines, stage_lines
from curate.audit.tally import Tally, entered, lost

STAGES = ("first", "second", "third")


@pytest.fixture
def samples():
    random = np.random.default_rng(0)
    return random.integers(0, 4, 500), random.random(500) < 0.3, random.random(500) < 0.4, random.random(500) < 0.8


def counted(reached, failed, member, known):
    tally = Tally(3)
    for part in np.array_split(np.arange(len(reached)), 4):
        failing = failed[part] & (reached[part] < 3)
        tally.count(reached[part], failing)
        tally.count_kind(Kind("k", known[part], {"g": (member & known)[part]}), reached[part], failing)
    return tally


def test_counts_are_those_of_a_loop(samples):
    reached, failed, member, known = samples
    tally = counted(*samples)
    for place in range(3):
        assert entered(tally.everything, place) == sum(r >= place for r in reached)
        assert lost(tally.everything, place, place) == sum(r == place for r in reached)
        assert tally.groups["k", "g"][place].tolist() == [
            sum(
                (r == place) and f == wanted
                for r, f, m, n in zip(reached, failed, member, known, strict=True)
                if m and n
            )
            for wanted in (False, True)
        ]


def test_lines_say_the_same_as_sets(samples):
    reached, _, member, known = samples
    tally = counted(*samples)
    *single, whole = stage_lines(tally, STAGES, 0.95)
    assert [s.entered for s in single] == [int((reached >= i).sum()) for i in range(3)]
    assert (whole.stage, whole.lost.hits, whole.lost.of) == (WHOLE, int((reached < 3).sum()), 500)
    assert all(s.dropped + s.failed == s.lost.hits for s in (*single, whole))
    lines = {line.stage: line for line in group_lines(tally, STAGES, {"k": 0}, 1, 0.95)}
    group, published = known & member, reached == 3
    assert lines[WHOLE].share_before == group.sum() / known.sum()
    assert lines[WHOLE].share_after == (group & published).sum() / (known & published).sum()
    assert lines[WHOLE].amplification.value == pytest.approx(lines[WHOLE].share_after / lines[WHOLE].share_before)
    assert lines["second"].lost.of == (group & (reached >= 1)).sum()


def test_a_group_that_is_known_late_is_not_counted_before(samples):
    lines = group_lines(counted(*samples), STAGES, {"k": 1}, 1, 0.95)
    assert [line.stage for line in lines] == ["second", "third", "from second on"]


def test_small_groups_are_left_out_and_hosts_are_pooled(samples):
    tally = counted(*samples)
    assert group_lines(tally, STAGES, {"k": 0}, 10_000, 0.95) == []
    for name, size in (("a", 3), ("b", 2), ("c", 40)):
        hit = np.arange(500) < size
        tally.count_kind(Kind("source", hit, {name: hit}), np.full(500, 3), np.zeros(500, bool))
    small = tally.small("source", 30)
    tally.pool("source", small, "others")
    assert small == {"a", "b"}
    assert {g: int(c.sum()) for (k, g), c in tally.groups.items() if k == "source"} == {"c": 40, "others": 5}


@pytest.mark.parametrize(("kept", "others"), [(0.9, 0.9), (0.5, 0.9), (0.99, 0.7)])
def test_the_interval_of_an_amplification_covers_the_truth(kept, others):
    """Exactly, summed over every outcome of 20 in the group and 60 beside it."""
    inside, outside = 20, 60
    truth = kept / (inside / 80 * kept + outside / 80 * others)
    covered = 0.0
    for own in range(inside + 1):
        for other in range(outside + 1):
            if own + other:
                found = amplification((inside, inside - own), (outside, outside - other), 0.95)
                hit = found.low <= truth <= found.high
                covered += hit * binom.pmf(own, inside, kept) * binom.pmf(other, outside, others)
    assert covered >= 0.95


def test_errors_are_counted_where_a_filter_judged():
    good, bad = Tally(3), Tally(3)
    # Good: one left before, two dropped at `second`, one failed there, four passed. Bad: three dropped, one passed.
    good.count(np.array([0, 1, 1, 1, 2, 3, 3, 3]), np.array([0, 0, 0, 1, 0, 0, 0, 0], bool))
    bad.count(np.array([1, 1, 1, 3]), np.zeros(4, bool))
    (line,) = error_lines(good, bad, STAGES, ["second"], 1, 0.95)
    assert (line.false_positives.hits, line.false_positives.of) == (2, 6)
    assert (line.missed.hits, line.missed.of) == (1, 4)
