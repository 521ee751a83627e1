"""An audit as tables of text, the same for a terminal and a page."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from curate.audit.rates import ErrorLine, GroupLine, Ratio, Share
from curate.audit.report import Audit
from curate.audit.residual import ResidualLine
from curate.audit.swaps import SwapLine

MOST_LINES = 25
"""Of a table, unless all are asked for; JSON has all."""

Row = tuple[str, ...]
Line = TypeVar("Line")


@dataclass(frozen=True)
class Section:
    """A title, what must be said of the table, and the table; the first `words` columns hold words."""

    title: str
    notes: tuple[str, ...] = ()
    columns: Row = ()
    rows: tuple[Row, ...] = ()
    words: int = 1


def sections(audit: Audit, *, every: bool) -> Iterator[Section]:
    """Yield what is worth a reader's time; with `every`, all."""
    yield _stages(audit)
    if audit.groups:
        yield _through_the_run(audit)
        yield _apart(audit, every=every)
    if audit.published:
        yield _published(audit)
    if audit.errors:
        yield _errors(audit, every=every)
    if audit.swaps:
        yield _swaps(audit, every=every)
    yield from _residual(audit)
    if audit.notes:
        yield Section("What could not be told", audit.notes)


def share_cell(share: Share) -> str:
    """Spell a share in percent, with its interval."""
    if share.value is None:
        return "-"
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def _ratio_cell(ratio: Ratio | None) -> str:
    return "-" if ratio is None else f"{ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"


def _stages(audit: Audit) -> Section:
    rows = [(s.stage, f"{s.entered:,}", f"{s.dropped:,}", f"{s.failed:,}", share_cell(s.lost)) for s in audit.stages]
    return Section(
        "What each stage loses",
        (f"In square brackets: exact {100 * audit.confidence:g} % intervals (Clopper-Pearson), each for itself.",),
        ("stage", "in", "dropped", "failed", "lost"),
        tuple(rows),
    )


def _through_the_run(audit: Audit) -> Section:
    stages = {s.stage for s in audit.stages[:-1]}
    lines = [g for g in audit.groups if g.stage not in stages]
    rows = [(g.kind, g.group, g.stage, f"{g.lost.of:,}", *_group_cells(g)) for g in lines]
    return Section(
        "Groups, from where they are known to the shards",
        ("amplification: share among what is published, over share before. Below 1 the run makes the group rarer.",),
        ("kind", "group", "over", "in", "lost", "others lost", "amplification"),
        tuple(rows),
        words=3,
    )


def _group_cells(line: GroupLine) -> Row:
    return share_cell(line.lost), share_cell(line.others_lost), _ratio_cell(line.amplification)


def _apart(audit: Audit, *, every: bool) -> Section:
    stages = {s.stage for s in audit.stages[:-1]}
    compared = [g for g in audit.groups if g.stage in stages and g.amplification is not None]
    apart = [g for g in compared if g.amplification is not None and g.amplification.apart]
    shown = sorted(compared if every else apart, key=lambda g: abs(_log(g.amplification)), reverse=True)
    chance = f"{len(compared) * (1 - audit.confidence):.1f}"
    told = f"{len(apart)} of {len(compared)} comparisons have an interval without 1"
    notes = [f"{told}; at most about {chance} would by chance alone."]
    rows = [(g.kind, g.group, g.stage, f"{g.lost.of:,}", *_group_cells(g)) for g in _some(shown, notes, every=every)]
    columns = ("kind", "group", "stage", "in", "lost", "others lost", "amplification")
    return Section("Where a stage loses a group more, or less, than the others", tuple(notes), columns, tuple(rows), 3)


def _log(ratio: Ratio | None) -> float:
    return math.inf if ratio is None or not ratio.value else math.log(ratio.value)


def _some(lines: list[Line], notes: list[str], *, every: bool) -> list[Line]:
    if every or len(lines) <= MOST_LINES:
        return lines
    notes.append(f"The first {MOST_LINES} of {len(lines)}; --all shows the others.")
    return lines[:MOST_LINES]


def _published(audit: Audit) -> Section:
    rows = [(p.kind, p.group, f"{p.share.hits:,}", share_cell(p.share)) for p in audit.published]
    return Section(
        "Groups among published samples",
        (f"Of a random sample of {max(p.share.of for p in audit.published):,}. Who was left out cannot be told.",),
        ("kind", "group", "samples", "share"),
        tuple(rows),
        words=2,
    )


def _errors(audit: Audit, *, every: bool) -> Section:
    notes = [f"By {audit.labelled:,} labelled samples. A filter is judged by samples that reached it."]
    whole = [e for e in audit.errors if not e.kind]
    groups = [e for e in audit.errors if e.kind]
    rows = [_error_row(e) for e in (*whole, *_some(groups, notes, every=every))]
    columns = ("stage", "kind", "group", "good", "false positives", "bad", "missed")
    return Section("Errors by label", tuple(notes), columns, tuple(rows), 3)


def _error_row(line: ErrorLine) -> Row:
    good, bad = line.false_positives, line.missed
    named = (line.stage, line.kind or "all", line.group or "all")
    return (*named, f"{good.of:,}", share_cell(good), f"{bad.of:,}", share_cell(bad))


def _swaps(audit: Audit, *, every: bool) -> Section:
    told = [
        s for s in audit.swaps if s.to_dropped or s.to_kept or (s.has_model and not s.shift_low <= 0 <= s.shift_high)
    ]
    moved = sum(not s.shift_low <= 0 <= s.shift_high for s in audit.swaps)
    flipped = sum(bool(s.to_dropped or s.to_kept) for s in audit.swaps)
    notes = [
        "A term's shift is its score less the mean over its category, in texts that differ in nothing else.",
        f"Of {len(audit.swaps)} lines {moved} move the score (the interval is without 0), {flipped} change a decision.",
    ]
    lines = list(audit.swaps) if every else told
    lines = sorted(lines, key=lambda s: (-(s.to_dropped + s.to_kept), -abs(s.shift)))
    columns = ("stage", "texts", "term", "n", "shift", "dropped with it", "newly dropped", "newly kept")
    rows = tuple(_swap_row(s) for s in _some(lines, notes, every=every))
    return Section("Identity terms put in place of each other", tuple(notes), columns, rows, 3)


def _swap_row(line: SwapLine) -> Row:
    shift = f"{line.shift:+.3f} +- {line.shift_high - line.shift:.3f}"
    flips = f"{line.to_dropped:,}", f"{line.to_kept:,}"
    return line.stage, line.texts, line.term, f"{line.contexts:,}", shift, share_cell(line.dropped), *flips


def _residual(audit: Audit) -> Iterator[Section]:
    columns = ("by", "kind", "found in", "of", "per million", f"at most per million, {100 * audit.confidence:g} %")
    for found in audit.residual:
        how = ", ".join(f"{n} {v:g}" for n, v in found.settings.items() if isinstance(v, float))
        notes = [
            f"The run's own detector once more, set to find more ({how or 'as in the run'}). It is as far as it sees."
        ]
        if found.unread:
            notes.append(f"{found.unread:,} samples could not be looked at.")
        quiet = [line.kind for line in found.lines[1:] if not line.found]
        shown = [line for line in found.lines if line.kind not in quiet]
        if found.everything:
            notes.append("Every published sample was looked through: these are counts, and nothing is left to chance.")
        if quiet and found.lines[0].looked:
            bound = next(line.per_million for line in found.lines if line.kind in quiet)
            most = "" if found.everything else f", so at most {bound:,.0f} per million of each"
            notes.append(f"None found{most}: {', '.join(quiet)}.")
        yield Section(f"What {found.stage} still finds", tuple(notes), columns, tuple(map(_residual_row, shown)), 2)
    if audit.reviewed is not None:
        notes = [f"{audit.reviewed.read:,} samples were read by people, {audit.reviewed.unread:,} were not."]
        rows = tuple(map(_residual_row, audit.reviewed.lines))
        yield Section("What people still find", tuple(notes), columns, rows, 2)


def _residual_row(line: ResidualLine) -> Row:
    counts = f"{line.found:,}", f"{line.looked:,}"
    return line.stage, line.kind, *counts, f"{line.per_million_found:,.0f}", f"{line.per_million:,.0f}"
