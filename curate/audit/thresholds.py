"""Choosing a threshold that keeps a promise on rows nobody labelled, with a stated confidence.

Whichever way a filter's threshold points, scores are turned here so that a row is kept where its score is at most the
threshold; a higher threshold keeps more.

*One monotone risk* (`missed` grows with the threshold, `false_positive_rate` falls): the farthest threshold up to
which every exact upper bound stays within the promise. Monotony makes the bound at the one true limit enough, so
however many thresholds are looked at none needs a correction: Bates, Angelopoulos, Lei, Malik and Jordan (2021),
"Distribution-Free, Risk-Controlling Prediction Sets", arXiv:2101.02703, theorem 1, with their binomial bound. It is
the fixed-sequence test of Learn Then Test below, with the thresholds themselves as its sequence. Conformal risk control
(arXiv:2208.02814) would promise the risk on average over labelled sets only, which is not "with 95 % confidence".

*bad_kept* is not monotone: Angelopoulos, Bates, Candes, Jordan and Lei (2021), "Learn then Test", arXiv:2110.01052,
section 3: split fixed-sequence testing. A fifth of the rows, drawn by seed, say which thresholds are tried and where to
begin; the others test them upwards with the exact binomial p-value until one fails. The sequence must not depend on
the rows that test it.

*Every group*: the promise fails where any one group's risk is too high, a union of hypotheses, and the largest of the
groups' p-values is a valid p-value for a union: the intersection-union test, Berger (1982), Technometrics 24,
295-300. It needs no division by the number of groups, as a union bound would, since it is one threshold that is chosen.

*Several promises* are kept together: each is made at 1 - (1 - confidence) / promises (Bonferroni).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curate.audit.bounds import Counts, needed, p_values
from curate.audit.promise import Promise
from curate.errors import InputError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEARN_FRACTION = 0.2
"""Of the rows, for `bad_kept`: they name the thresholds to try. A fifth places a start; more would weaken the test."""
MOST_TRIED = 200
"""Thresholds that `bad_kept` tries: finer steps move the result by less than its own uncertainty."""


@dataclass(frozen=True)
class Scored:
    """n labelled rows: turned scores, what they are, and the group of each (numbers into `groups`)."""

    scores: Floats
    bad: Bools
    group: npt.NDArray[np.int64]
    groups: tuple[str, ...]

    def part(self, rows: Bools) -> "Scored":
        """Return some of the rows."""
        return Scored(self.scores[rows], self.bad[rows], self.group[rows], self.groups)

    def kept(self, of: Bools, thresholds: Floats) -> Counts:
        """Return int64[groups, thresholds]: how many rows of a kind each threshold keeps."""
        counts = [
            np.searchsorted(np.sort(self.scores[of & (self.group == g)]), thresholds, side="right")
            for g in range(len(self.groups))
        ]
        return np.asarray(counts, dtype=np.int64).reshape(len(self.groups), len(thresholds))

    def counts(self, promise: Promise, thresholds: Floats) -> tuple[Counts, Counts]:
        """Return errors and trials of a risk, int64[groups, thresholds] each."""
        everything = np.array([np.inf])
        return promise.counts(
            self.kept(self.bad, thresholds),
            self.kept(~self.bad, thresholds),
            self.kept(self.bad, everything),
            self.kept(~self.bad, everything),
        )

    def p_values(self, promise: Promise, thresholds: Floats) -> Floats:
        """Return float64[thresholds]: the p-value that some group's risk is above what is promised."""
        return p_values(*self.counts(promise, thresholds), promise.at_most).max(axis=0)


@dataclass(frozen=True)
class Allowed:
    """Turned thresholds that keep a promise: from `low` (in) up to `high` (out), or only those of `tried`."""

    low: float = -math.inf
    high: float = math.inf
    tried: tuple[float, ...] | None = None


def allowed(scored: Scored, promise: Promise, confidence: float, seed: int) -> Allowed:
    """Return the thresholds that keep one promise.

    Raises:
        InputError: the labels cannot support it, with how many could.
    """
    if promise.risk == "bad_kept":
        return _tested(scored, promise, confidence, seed)
    _need_rows(scored, promise, confidence)
    observed = np.unique(scored.scores)
    thresholds = np.concatenate([[-np.inf], observed])
    fine = scored.p_values(promise, thresholds) <= 1 - confidence
    if promise.limits_keeping:
        first_bad = int(np.argmin(fine)) if not fine.all() else len(fine)
        return Allowed(high=float(thresholds[first_bad]) if first_bad < len(fine) else math.inf)
    first_fine = len(fine) - int(np.argmin(fine[::-1])) if not fine.all() else 0
    return Allowed(low=float(thresholds[first_fine]))


def _need_rows(scored: Scored, promise: Promise, confidence: float) -> None:
    """Raise InputError where a group has too few rows to show anything so small."""
    kind = scored.bad if promise.risk == "missed" else ~scored.bad
    least = needed(promise.at_most, confidence)
    have = [int((kind & (scored.group == g)).sum()) for g in range(len(scored.groups))]
    short = [f"{n} in '{name}'" for name, n in zip(scored.groups, have, strict=True) if n < least]
    if not short:
        return
    there = f"there are {have[0]}" if len(have) == 1 else f"there are {', '.join(short[:8])}"
    each = "" if len(have) == 1 else " in every group"
    fault = "without a miss" if promise.risk == "missed" else "none of them dropped"
    raise InputError(
        f"the labels cannot support '{promise}': at {confidence:.4g} confidence it needs at least {least} "
        f"{promise.of_what}{each}, {fault}; {there}. Label more rows, or promise less: "
        f"these could show {promise.risk} <= {_could_show(min(have), confidence)}"
    )


def _could_show(rows: int, confidence: float) -> str:
    return f"{math.ceil(1e4 * (1 - (1 - confidence) ** (1 / rows))) / 1e4:g}" if rows else "nothing at all"


def _tested(scored: Scored, promise: Promise, confidence: float, seed: int) -> Allowed:
    """Return the thresholds of a split fixed sequence that are shown to keep a promise."""
    learning = _drawn(len(scored.scores), seed)
    learn, test = scored.part(learning), scored.part(~learning)
    tried = _grid(learn.scores)
    start = _start(learn, promise, tried) if len(tried) else 0
    fine = test.p_values(promise, tried[start:]) <= 1 - confidence
    passed = tried[start:][: len(fine) if fine.all() else int(np.argmin(fine))]
    if not len(passed):
        _refuse_tested(test, promise, confidence, float(tried[start]) if len(tried) else math.inf)
    return Allowed(tried=tuple(passed.tolist()))


def _start(learn: Scored, promise: Promise, tried: Floats) -> int:
    """Return the threshold that the larger part is likeliest to accept: shares smoothed, as counts of its size."""
    errors, trials = learn.counts(promise, tried)
    many = np.floor(trials * (1 - LEARN_FRACTION) / LEARN_FRACTION).astype(np.int64)
    expected = np.ceil(many * (errors + 0.5) / (trials + 1)).astype(np.int64)
    return int(np.argmin(p_values(expected, many, promise.at_most).max(axis=0)))


def held_for_testing(rows: int, seed: int) -> Bools:
    """Return bool[rows]: which rows test `bad_kept`; the others only say which thresholds are tried."""
    return ~_drawn(rows, seed)


def _drawn(rows: int, seed: int) -> Bools:
    chosen = np.zeros(rows, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(rows)[: math.ceil(rows * LEARN_FRACTION)]] = True
    return chosen


def _grid(scores: Floats) -> Floats:
    """Return the thresholds to try, ascending, rounded so that they can be written down as they are."""
    quantiles = np.quantile(scores, np.linspace(0, 1, min(len(scores), MOST_TRIED))) if len(scores) else scores
    return np.unique([float(f"{q:.4g}") for q in quantiles])


def _refuse_tested(test: Scored, promise: Promise, confidence: float, start: float) -> None:
    errors, trials = (c[:, 0] for c in test.counts(promise, np.array([start])))
    told = []
    for name, k, n in zip(test.groups, errors, trials, strict=True):
        least = needed(promise.at_most, confidence, int(k))
        if n < least:
            told.append(f"{k} bad of {n} kept{'' if len(test.groups) == 1 else f' in {name}'}, and {k} need {least}")
    raise InputError(
        f"the labels cannot support '{promise}' at {confidence:.4g} confidence: at the most promising threshold "
        f"{'; '.join(told[:8])}. Label more rows (without a bad one among the kept it takes at least "
        f"{needed(promise.at_most, confidence)} kept{' in every group' if len(test.groups) > 1 else ''}, "
        f"and {LEARN_FRACTION:.0%} of the rows only place the thresholds), or promise less"
    )


def meet(ranges: Sequence[Allowed]) -> Allowed:
    """Return the thresholds that are in every range; `low >= high`, or none tried, where there is none."""
    low, high = max(r.low for r in ranges), min(r.high for r in ranges)
    lists = [set(r.tried) for r in ranges if r.tried is not None]
    if not lists:
        return Allowed(low, high)
    return Allowed(low, high, tuple(sorted(t for t in set.intersection(*lists) if low <= t < high)))


def pick(within: Allowed, scores: Floats, *, most: bool) -> float | None:
    """Return the threshold that keeps most (or least) of those allowed, written as shortly as may be; None if none is.

    Between two observed scores every threshold does the same to the labelled rows; the one with the fewest digits there
    is taken, never beyond the next score.
    """
    if within.tried is not None:
        return None if not within.tried else within.tried[-1 if most else 0]
    if within.low >= within.high:
        return None
    observed = np.unique(scores)
    edges = observed[(observed >= within.low) & (observed < within.high)]
    if most:
        low = max(within.low, float(edges[-1])) if len(edges) else within.low
        return shortest(low, within.high, whole=_whole(observed))
    above = observed[observed > within.low]
    return shortest(within.low, min(within.high, float(above[0]) if len(above) else math.inf), whole=_whole(observed))


def _whole(values: Floats) -> bool:
    return bool(np.all(values == np.floor(values)))


def shortest(low: float, high: float, *, whole: bool = False) -> float:
    """Return a number from `low` (in) to `high` (out) with few decimals: whole, or at least hundredths."""
    if math.isinf(low):
        return -shortest(math.nextafter(-high, math.inf), math.inf, whole=whole) if not math.isinf(high) else 0.0
    for digits in range(0 if whole else 2, 17):
        value = math.ceil(low * 10**digits) / 10**digits
        if low <= value < high:
            return value
    return low
