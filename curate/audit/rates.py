"""How many a stage loses, in each group and beside the others: rates, amplification of exclusion, and errors by label.

*Amplification* of a group at a stage is its share of what leaves the stage, over its share of what enters: below 1 the
stage makes the group rarer. Its interval takes the share that enters as given and joins exact intervals of the group's
and of the others' survival, each at half of what may go wrong (Bonferroni), so that it is never too narrow. Source of
the question: Dodge et al. (2021), "Documenting Large Webtext Corpora", arXiv:2104.08758, section 5.3, who show that a
blocklist excludes text about minorities.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from curate.audit.bounds import interval
from curate.audit.tally import Numbers, Tally, entered, lost

WHOLE = "whole run"


@dataclass(frozen=True)
class Share:
    """A share, counted, with its exact two-sided interval."""

    of: int
    hits: int
    low: float
    high: float

    @classmethod
    def counted(cls, hits: int, of: int, confidence: float) -> "Share":
        """Reckon the interval."""
        return cls(of, hits, *interval(hits, of, confidence))

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.of if self.of else None


@dataclass(frozen=True)
class StageLine:
    """One stage, all samples."""

    stage: str
    entered: int
    dropped: int
    failed: int
    lost: Share


@dataclass(frozen=True)
class Ratio:
    """A ratio of shares and its interval."""

    value: float
    low: float
    high: float

    @property
    def apart(self) -> bool:
        """Whether 1 is outside of the interval."""
        return not self.low <= 1 <= self.high


@dataclass(frozen=True)
class GroupLine:
    """One group at one stage."""

    kind: str
    group: str
    stage: str
    lost: Share
    others_lost: Share
    share_before: float
    share_after: float | None
    amplification: Ratio | None
    """None where nothing leaves the stage, or nobody else enters."""


@dataclass(frozen=True)
class ErrorLine:
    """What a stage does to labelled samples; `kind` and `group` are empty for all of them."""

    stage: str
    kind: str
    group: str
    false_positives: Share
    """Of good samples, those that it drops."""
    missed: Share
    """Of bad samples, those that it lets pass."""


def stage_lines(tally: Tally, stages: Sequence[str], confidence: float) -> list[StageLine]:
    """Return a line for each stage, and one for the run."""
    lines = []
    for name, first, last in _spans(stages, 0):
        counts = tally.everything[first : last + 1]
        entering = entered(tally.everything, first)
        share = Share.counted(int(counts.sum()), entering, confidence)
        lines.append(StageLine(name, entering, int(counts[:, 0].sum()), int(counts[:, 1].sum()), share))
    return lines


def _spans(stages: Sequence[str], known_from: int) -> list[tuple[str, int, int]]:
    """Return name, first and last place of each stage from `known_from` on, and of the run if known from its begin."""
    spans = [(name, i, i) for i, name in enumerate(stages) if i >= known_from]
    whole = WHOLE if known_from == 0 else f"from {stages[known_from]} on"
    return [*spans, (whole, known_from, len(stages) - 1)] if known_from < len(stages) else []


def group_lines(
    tally: Tally, stages: Sequence[str], known_from: dict[str, int], least: int, confidence: float
) -> list[GroupLine]:
    """Return a line for each group and stage that loses anything, where at least `least` of the group enter."""
    lines = []
    for (kind, group), counts in sorted(tally.groups.items()):
        everyone = tally.known[kind]
        for name, first, last in _spans(stages, known_from[kind]):
            single = first == last
            if entered(counts, first) < least or (single and not lost(everyone, first, last)):
                continue
            lines.append(_group_line((kind, group, name), counts, everyone, (first, last), confidence))
    return lines


def _group_line(
    named: tuple[str, str, str], counts: Numbers, everyone: Numbers, span: tuple[int, int], confidence: float
) -> GroupLine:
    first, last = span
    inside, all_in = entered(counts, first), entered(everyone, first)
    gone, all_gone = lost(counts, first, last), lost(everyone, first, last)
    others, others_gone = all_in - inside, all_gone - gone
    after = (inside - gone) / (all_in - all_gone) if all_in > all_gone else None
    return GroupLine(
        *named,
        Share.counted(gone, inside, confidence),
        Share.counted(others_gone, others, confidence),
        inside / all_in,
        after,
        None if after is None or not others else amplification((inside, gone), (others, others_gone), confidence),
    )


def amplification(group: tuple[int, int], others: tuple[int, int], confidence: float) -> Ratio:
    """Return share after over share before, of a group and of the others: each (entered, lost)."""
    (inside, gone), (outside, outside_gone) = group, others
    before = inside / (inside + outside)
    kept, kept_others = inside - gone, outside - outside_gone
    each = (1 + confidence) / 2
    (low, high), (low_o, high_o) = interval(kept, inside, each), interval(kept_others, outside, each)

    def ratio(own: float, other: float) -> float:
        total = before * own + (1 - before) * other
        return own / total if total else 1.0

    return Ratio(ratio(kept / inside, kept_others / outside), ratio(low, high_o), ratio(high, low_o))


def error_lines(
    good: Tally, bad: Tally, stages: Sequence[str], judged: Sequence[str], least: int, confidence: float
) -> list[ErrorLine]:
    """Return false positives and misses of each judged stage: of all labelled samples, then by group."""
    lines = []
    for stage in judged:
        place = list(stages).index(stage)
        named: list[tuple[str, str, Numbers, Numbers]] = [("", "", good.everything, bad.everything)]
        groups = sorted(good.groups.keys() | bad.groups.keys())
        nothing = good.everything * 0
        named += [(k, g, good.groups.get((k, g), nothing), bad.groups.get((k, g), nothing)) for k, g in groups]
        for kind, group, fine, foul in named:
            if kind and entered(fine, place) + entered(foul, place) < least:
                continue
            # A failure is no judgement: those that failed here are counted in neither share.
            seen = [entered(counts, place) - int(counts[place, 1]) for counts in (fine, foul)]
            wrong = int(fine[place, 0]), seen[1] - int(foul[place, 0])
            shares = [Share.counted(hits, of, confidence) for hits, of in zip(wrong, seen, strict=True)]
            lines.append(ErrorLine(stage, kind, group, *shares))
    return lines
