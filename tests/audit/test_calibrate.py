"""Thresholds keep their promises on rows nobody labelled: planted truth, many labelled sets, exact risks."""

import numpy as np
import pytest
from scipy.stats import beta, binom

from curate.audit.calibrate import calibrate, scored_of
from curate.audit.promise import Promise
from curate.errors import InputError
from tests.audit import planted

RESAMPLINGS = 100
FEWEST = 91
"""Of 100 that each hold with exactly 95 %, fewer are right in 1 of 20 such tests only (binomial)."""


def kept_promises(risk, at_most, rows, seeds):
    kept = 0
    for seed in seeds:
        found = calibrate(planted.scored(seed, rows), "at_most", [Promise(risk, at_most)], 0.95, seed=seed)
        kept += planted.truth(risk, found.chosen[0].value) <= at_most
    return kept


@pytest.mark.parametrize(("risk", "at_most", "rows"), [
    ("missed", 0.05, 1000), ("missed", 0.01, 1500), ("false_positive_rate", 0.05, 1000), ("bad_kept", 0.05, 2500),
])  # fmt: skip
def test_a_promise_holds_in_95_of_100_resamplings(risk, at_most, rows):
    """A thousand labelled sets, ten times a hundred: the share of sets whose promise holds has an error of 0.7 %."""
    assert kept_promises(risk, at_most, rows, range(1000)) >= 950


@pytest.mark.parametrize("rows", [60, 300, 1000])
def test_the_exact_chance_of_a_kept_promise(rows):
    """Without drawing: uniform scores, all rows bad. The k-th lowest of n is Beta(k, n - k + 1)."""
    at_most = 0.05
    scores = np.arange(1, rows + 1) / (rows + 1)
    both = scored_of(np.append(scores, 0.0), np.append(np.ones(rows, bool), False), None)[0]
    found = calibrate(both, "at_most", [Promise("missed", at_most)], 0.95)
    beyond = int((scores <= found.chosen[0].value).sum()) + 1  # no threshold reaches the next bad score
    chance = beta.cdf(at_most, beyond, rows - beyond + 1)
    assert chance >= 0.95
    # One more kept would break it: nothing is given away.
    assert beta.cdf(at_most, beyond + 1, rows - beyond) < 0.95


def grouped(seed, rows, shift):
    easy, hard = planted.drawn(seed, rows), planted.drawn(seed + 10_000, rows, shift=shift)
    scores, bad = (np.concatenate(pair) for pair in zip(easy, hard, strict=True))
    return scored_of(scores, bad, ["easy"] * rows + ["hard"] * rows)[0]


def test_it_holds_in_every_group_at_once():
    promise, shift, kept = Promise("false_positive_rate", 0.05), 0.15, 0
    for seed in range(RESAMPLINGS):
        value = calibrate(grouped(seed, 700, shift), "at_most", [promise], 0.95).chosen[0].value
        kept += max(planted.truth(promise.risk, value, shift=s) for s in (0, shift)) <= promise.at_most
    assert kept >= FEWEST


def test_one_threshold_for_all_would_break_the_promise_in_the_harder_group():
    rows = grouped(0, 5000, 0.15)
    together = scored_of(rows.scores, rows.bad, None)[0]
    promise = [Promise("false_positive_rate", 0.05)]
    alone = calibrate(together, "at_most", promise, 0.95).chosen[0].value
    assert planted.truth("false_positive_rate", alone, shift=0.15) > 0.05
    by_group = calibrate(rows, "at_most", promise, 0.95)
    assert [line.group for line in by_group.chosen[0].lines] == ["easy", "hard", "all"]
    assert all(line.promised["false_positive_rate"] <= 0.05 for line in by_group.chosen[0].lines)
    assert by_group.chosen[0].value > alone


def test_two_promises_hold_together():
    kept = 0
    promises = [Promise("missed", 0.2), Promise("false_positive_rate", 0.15)]
    for seed in range(RESAMPLINGS):
        found = calibrate(planted.scored(seed, 1500), "at_most", promises, 0.95)
        value = found.chosen[0].value
        kept += all(planted.truth(p.risk, value) <= p.at_most for p in promises)
    assert kept >= FEWEST
    assert found.each_confidence == 0.975


def test_at_least_is_the_mirror_of_at_most():
    rows = planted.scored(3, 1500)
    mirrored = scored_of(-rows.scores, rows.bad, None)[0]
    for risk in ("missed", "false_positive_rate"):
        one = calibrate(rows, "at_most", [Promise(risk, 0.05)], 0.95).chosen[0]
        other = calibrate(mirrored, "at_least", [Promise(risk, 0.05)], 0.95).chosen[0]
        assert other.value == -one.value
        assert other.lines[0].rates == one.lines[0].rates


def test_the_threshold_is_the_farthest_that_the_bound_allows():
    rows = planted.scored(5, 2000)
    found = calibrate(rows, "at_most", [Promise("missed", 0.05)], 0.95).chosen[0]
    bad = np.sort(rows.scores[rows.bad])
    errors = int((bad <= found.value).sum())
    assert binom.cdf(errors, len(bad), 0.05) <= 0.05 < binom.cdf(errors + 1, len(bad), 0.05)
    assert bad[errors - 1] <= found.value < bad[errors]


def test_an_uncertain_band_keeps_both_of_its_promises():
    promises = [Promise("missed", 0.02), Promise("false_positive_rate", 0.02)]
    rows = planted.scored(1, 4000)
    with pytest.raises(InputError, match=r"no threshold keeps missed <= 0\.02 and false_positive_rate <= 0\.02"):
        calibrate(rows, "at_most", promises, 0.95)
    found = calibrate(rows, "at_most", promises, 0.95, uncertain=True)
    lower, upper = found.chosen
    assert (lower.role, upper.role) == ("lower", "upper")
    assert planted.truth("missed", lower.value) <= 0.02
    assert planted.truth("false_positive_rate", upper.value) <= 0.02
    assert found.uncertain == int(((rows.scores > lower.value) & (rows.scores <= upper.value)).sum())


def test_a_band_that_is_not_needed_is_one_threshold():
    promises = [Promise("missed", 0.2), Promise("false_positive_rate", 0.2)]
    assert [c.role for c in calibrate(planted.scored(1, 4000), "at_most", promises, 0.95, uncertain=True).chosen] == [
        "threshold"
    ]


def test_labels_that_cannot_support_it_say_so():
    rows = planted.scored(0, 400)
    bad = int(rows.bad.sum())
    with pytest.raises(InputError, match=f"needs at least 299 bad rows, without a miss; there are {bad}"):
        calibrate(rows, "at_most", [Promise("missed", 0.01)], 0.95)
    with pytest.raises(InputError, match="needs at least 299 good rows, none of them dropped; there are"):
        calibrate(rows, "at_most", [Promise("false_positive_rate", 0.01)], 0.95)
    with pytest.raises(InputError, match=r"cannot support 'bad_kept <= 0\.001'.*at least 2995 kept"):
        calibrate(rows, "at_most", [Promise("bad_kept", 0.001)], 0.95)


def test_a_small_group_is_named():
    scores, bad = planted.drawn(0, 1000)
    rows, _ = scored_of(scores, bad, ["small"] * 20 + ["large"] * 980)
    with pytest.raises(InputError, match=r"in every group, .*; there are \d+ in 'small'\. "):
        calibrate(rows, "at_most", [Promise("missed", 0.05)], 0.95)


def test_what_it_says_could_be_shown_can_be():
    rows = planted.scored(0, 400)
    with pytest.raises(InputError) as refused:
        calibrate(rows, "at_most", [Promise("false_positive_rate", 0.001)], 0.95)
    could = float(str(refused.value).rpartition("<= ")[2])
    assert calibrate(rows, "at_most", [Promise("false_positive_rate", could)], 0.95).chosen[0].value < 1


def test_scores_that_tell_nothing_are_refused():
    random = np.random.default_rng(0)
    rows, _ = scored_of(
        np.append(random.random(500), np.ones(100)), np.append(np.ones(500, bool), np.zeros(100, bool)), None
    )
    with pytest.raises(InputError, match="the scores do not tell good from bad"):
        calibrate(rows, "at_most", [Promise("missed", 0.02)], 0.95)


def test_equal_scores_are_kept_or_dropped_together():
    scores = np.repeat([0.1, 0.5, 0.9], [400, 400, 400])
    bad = np.repeat([False, False, True], [400, 400, 400])
    found = calibrate(scored_of(scores, bad, None)[0], "at_most", [Promise("missed", 0.01)], 0.95)
    assert found.chosen[0].value == 0.5
    assert found.chosen[0].lines[0].rates["false_positive_rate"].errors == 0


def test_unmeasured_rows_are_counted_apart():
    rows, unmeasured = scored_of(np.array([0.1, np.nan, 0.3]), np.array([True, True, False]), None)
    assert (rows.scores.tolist(), unmeasured) == ([0.1, 0.3], 1)
    with pytest.raises(InputError, match="no labelled row could be measured"):
        scored_of(np.array([np.nan]), np.array([True]), None)
