"""From labelled rows and promises to a threshold, or two, and what is lost by it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from curate.audit.bounds import interval, upper
from curate.audit.promise import RISKS, Promise
from curate.audit.thresholds import Allowed, Scored, allowed, held_for_testing, meet, pick
from curate.errors import InputError

EVERYTHING = "all"


@dataclass(frozen=True)
class Rate:
    """A share, counted: `errors` of `trials`."""

    errors: int
    trials: int
    low: float
    high: float

    @classmethod
    def of(cls, errors: int, trials: int, confidence: float) -> "Rate":
        """Reckon the two-sided interval."""
        return cls(errors, trials, *interval(errors, trials, confidence))


@dataclass(frozen=True)
class GroupLine:
    """What a threshold does in one group of the labelled rows."""

    group: str
    bad: int
    good: int
    rates: dict[str, Rate]
    promised: dict[str, float]
    """For each promised risk, the exact one-sided bound at the confidence of that promise."""


@dataclass(frozen=True)
class Chosen:
    """One threshold and what it promises."""

    role: str
    """`threshold`; of two, `lower` (kept on its near side) and `upper` (dropped beyond it)."""
    value: float
    promises: tuple[str, ...]
    lines: tuple[GroupLine, ...]


@dataclass(frozen=True)
class Calibrated:
    """What calibration found."""

    bound: str
    confidence: float
    each_confidence: float
    """At which each single promise is made, so that all hold together."""
    rows: int
    chosen: tuple[Chosen, ...]
    uncertain: int = 0
    """Labelled rows between two thresholds."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def calibrate(
    scored: Scored,
    bound: str,
    promises: Sequence[Promise],
    confidence: float,
    *,
    seed: int = 0,
    uncertain: bool = False,
) -> Calibrated:
    """Choose the threshold that keeps every promise and loses the least.

    Of several thresholds that keep them, the one that keeps most is chosen if a promise limits what is kept; else the
    one that drops most.

    Args:
        scored: labelled rows; scores as measured, not turned.
        bound: `at_most` or `at_least`: which side is kept.
        promises: at least one.
        confidence: that all promises hold, together.
        seed: of the draw that `bad_kept` needs.
        uncertain: choose two thresholds, one for what is kept and one for what is dropped.

    Raises:
        InputError: the labels cannot support it, or no threshold keeps all promises.
    """
    if not promises:
        raise InputError("nothing is promised: give a --risk, for example --risk 'missed<=0.01'")
    each = 1 - (1 - confidence) / len(promises)
    turned = Scored(scored.scores if bound == "at_most" else -scored.scores, scored.bad, scored.group, scored.groups)
    keeping = [p for p in promises if p.limits_keeping]
    dropping = [p for p in promises if not p.limits_keeping]
    ranges = {p: allowed(turned, p, each, seed) for p in promises}
    sides = (keeping, dropping) if uncertain else (list(promises),)
    if not all(sides):
        raise InputError(
            "--uncertain needs a promise for what is kept (missed or bad_kept) and one for what is dropped "
            "(false_positive_rate)"
        )
    picked = [_pick(turned, [ranges[p] for p in side], side) for side in sides]
    if len(picked) > 1 and picked[0] >= picked[1]:
        # One threshold keeps both promises, so nothing is uncertain.
        sides, picked = (list(promises),), [_pick(turned, list(ranges.values()), list(promises))]
    roles = ("threshold",) if len(picked) == 1 else ("lower", "upper")
    told = (each, confidence, seed)
    chosen = [_told(turned, (r, v), bound, side, told) for r, v, side in zip(roles, picked, sides, strict=True)]
    between = 0 if len(picked) == 1 else int(((turned.scores > picked[0]) & (turned.scores <= picked[1])).sum())
    return Calibrated(bound, confidence, each, len(turned.scores), tuple(chosen), between)


def _pick(turned: Scored, ranges: Sequence[Allowed], promises: Sequence[Promise]) -> float:
    most = any(p.limits_keeping for p in promises)
    value = pick(meet(ranges), turned.scores, most=most)
    if value is None:
        told = " and ".join(map(str, promises))
        raise InputError(
            f"no threshold keeps {told} together: what the one asks to keep the other asks to drop. "
            "Promise less, or take two thresholds with --uncertain"
        )
    passing = turned.scores <= value
    if not (passing & ~turned.bad).any():
        raise InputError(
            f"only a threshold that drops every good row keeps {' and '.join(map(str, promises))}: "
            "the scores do not tell good from bad well enough. Promise less, or use a better filter"
        )
    return value


def _told(
    turned: Scored, named: tuple[str, float], bound: str, promises: Sequence[Promise], how: tuple[float, float, int]
) -> Chosen:
    role, value = named
    groups = [(name, turned.part(turned.group == g)) for g, name in enumerate(turned.groups)]
    whole = [] if len(groups) == 1 else [(EVERYTHING, turned)]
    tested = turned.part(held_for_testing(len(turned.scores), how[2]))
    tests = [tested.part(tested.group == g) for g in range(len(turned.groups))] + [tested]
    lines = [
        _line(n, part, test, value, promises, how) for (n, part), test in zip([*groups, *whole], tests, strict=False)
    ]
    written = value if bound == "at_most" else -value
    return Chosen(role, written + 0.0, tuple(map(str, promises)), tuple(lines))


def _line(
    name: str, part: Scored, test: Scored, value: float, promises: Sequence[Promise], how: tuple[float, float, int]
) -> GroupLine:
    each, confidence, _ = how
    rates = {risk: Rate.of(*_counted(part, risk, value), confidence) for risk in RISKS}
    bounds = {p.risk: upper(*_counted(test if p.risk == "bad_kept" else part, p.risk, value), each) for p in promises}
    return GroupLine(name, int(part.bad.sum()), int((~part.bad).sum()), rates, bounds)


def _counted(part: Scored, risk: str, value: float) -> tuple[int, int]:
    passing = part.scores <= value
    if risk == "missed":
        return int((passing & part.bad).sum()), int(part.bad.sum())
    if risk == "bad_kept":
        return int((passing & part.bad).sum()), int(passing.sum())
    return int((~passing & ~part.bad).sum()), int((~part.bad).sum())


def scored_of(scores: np.ndarray, bad: np.ndarray, groups: Sequence[str] | None) -> tuple[Scored, int]:
    """Return the rows that have a score, and how many have none: those fail in a run, whatever the threshold.

    Raises:
        InputError: no row has one.
    """
    there = ~np.isnan(scores)
    if not there.any():
        raise InputError("no labelled row could be measured")
    named = np.asarray(groups if groups is not None else [EVERYTHING] * len(scores))
    names, numbers = np.unique(named, return_inverse=True)
    scored = Scored(scores[there], bad[there], numbers[there], tuple(map(str, names)))
    return scored, int((~there).sum())
