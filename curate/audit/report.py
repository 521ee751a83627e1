"""The whole audit of a run, put together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curate.audit.groups import Kind, kinds
from curate.audit.labels import LabelFile
from curate.audit.measuring import offline
from curate.audit.published import Drawn, draw
from curate.audit.rates import ErrorLine, GroupLine, Share, StageLine, error_lines, group_lines, stage_lines
from curate.audit.residual import Residual, edits_in_place, residual
from curate.audit.review import Reviewed, read_review, write_review
from curate.audit.runs import TEXTS, AuditedRun, Part
from curate.audit.swaps import Chosen, SwapLine, over_text, swap_lines, template_contexts
from curate.audit.tally import Tally
from curate.errors import InputError, PurgedError, nearest

POOLED = "(small hosts)"
_NEEDS = {"identity": "caption", "identity term": "caption", "dialect": "caption", "source": "url"}
_NEEDS |= {"language": "language", "orientation": "width", "short side": "width"}


@dataclass(frozen=True)
class Looking:
    """How to look."""

    confidence: float = 0.95
    least: int = 30
    """Smaller groups are not told of: little can be said of them, and a host with few samples may be a person's."""
    seed: int = 0
    swaps: int = 100
    """Captions a category; 0 for none."""
    sample: int = 1000
    """Published samples looked through for what is left; 0 for none."""
    score_at_least: float = 0.2
    """Of detectors on that look."""
    judged: tuple[str, ...] = ()
    """Filters that the labels speak of; none: all."""
    review: str | None = None
    reviewed: str | None = None


@dataclass(frozen=True)
class PublishedShare:
    """A group's share of published samples, where only those are left to count in."""

    kind: str
    group: str
    share: Share


@dataclass(frozen=True)
class Audit:
    """What was found; plain values but for the dataclasses."""

    run: str
    rows: int
    confidence: float
    stages: tuple[StageLine, ...]
    groups: tuple[GroupLine, ...]
    published: tuple[PublishedShare, ...]
    errors: tuple[ErrorLine, ...]
    labelled: int
    swaps: tuple[SwapLine, ...]
    residual: tuple[Residual, ...]
    reviewed: Reviewed | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def audit(run: AuditedRun, how: Looking, labels: LabelFile | None = None) -> Audit:
    """Look at a finished run; every part that cannot be told is told of in the notes.

    Raises:
        PurgedError: labels are given by text, and the raw list is gone.
        InputError: labels, the review file or the name of a filter cannot be used.
        ModelError: weights of a filter that is to be opened are not here.
    """
    judged = _judged(run, how.judged)
    counted = _count(run, how, labels)
    if labels is not None and not counted.labelled:
        raise InputError(
            f"{labels.path}: no sample of {run.run.folder.url} is labelled by its {len(labels.bad):,} rows. "
            "Label rows of this run: by `key`, or by the very text that its list holds."
        )
    known_from = {kind: run.known_from(_NEEDS[kind]) for kind in counted.every.known}
    drawn = draw(run.run, how.sample, how.seed) if how.sample or how.review else None
    if how.review and drawn is not None:
        write_review(how.review, drawn, run.run)
    if drawn is not None and not run.has_list:
        _offer_published(drawn, counted.texts)
    return Audit(
        run.run.folder.url,
        run.rows,
        how.confidence,
        tuple(stage_lines(counted.every, run.stages, how.confidence)),
        tuple(group_lines(counted.every, run.stages, known_from, how.least, how.confidence)),
        () if run.has_list or drawn is None else tuple(_published(drawn, how)),
        tuple(error_lines(counted.good, counted.bad, run.stages, judged, how.least, how.confidence)) if labels else (),
        counted.labelled,
        tuple(_swaps(run, counted.texts, how)),
        tuple(residual(s, drawn, how.score_at_least, how.confidence) for s in edits_in_place(run.recipe))
        if drawn is not None and how.sample
        else (),
        read_review(how.reviewed, draw(run.run, 0, 0).reader.version, how.confidence) if how.reviewed else None,
        (*run.notes, *_not_told(run, counted, how, labels)),
    )


@dataclass
class _Counted:
    every: Tally
    good: Tally
    bad: Tally
    texts: Chosen
    labelled: int = 0


def _count(run: AuditedRun, how: Looking, labels: LabelFile | None) -> _Counted:
    every, good, bad = (Tally(len(run.stages)) for _ in range(3))
    counted = _Counted(every, good, bad, Chosen.begin(how.swaps, how.seed))
    said = _Said.of(labels, run) if labels is not None else None
    for part in run.parts():
        told = list(kinds(part.columns))
        every.count(part.reached, part.failed)
        for kind in told:
            every.count_kind(kind, part.reached, part.failed)
        for name in TEXTS if how.swaps else ():
            if name in part.columns.column_names:
                counted.texts.offer(part.columns[name].combine_chunks())
        if said is not None:
            counted.labelled += _count_labelled(part, told, said.of_rows(part), (good, bad))
    small = every.small("source", how.least)
    for tally in (every, good, bad):
        tally.pool("source", small, POOLED)
    return counted


def _count_labelled(part: Part, told: Sequence[Kind], labels: np.ndarray, tallies: tuple[Tally, Tally]) -> int:
    """Count labelled rows (int8[n]: 0 good, 1 bad, -1 not labelled) in the tally of their label."""
    for value, tally in enumerate(tallies):
        rows = labels == value
        tally.count(part.reached[rows], part.failed[rows])
        for kind in told:
            groups = {name: hit[rows] for name, hit in kind.groups.items()}
            tally.count_kind(Kind(kind.name, kind.known[rows], groups), part.reached[rows], part.failed[rows])
    return int((labels >= 0).sum())


@dataclass(frozen=True)
class _Said:
    """What labels say, by key or by text."""

    by: str
    labels: Mapping[str, bool]

    @classmethod
    def of(cls, labels: LabelFile, run: AuditedRun) -> "_Said":
        by = next((n for n in ("key", *TEXTS) if n in labels.rows.column_names), None)
        if by is None:
            raise InputError(f"{labels.path}: has neither a column `key` nor the text of the samples (`caption`)")
        if by != "key" and not run.has_list:
            raise PurgedError(
                f"{labels.path}: texts can be matched with the raw list only, which was purged; give keys"
            )
        said: dict[str, bool] = {}
        for value, bad in zip(labels.column(by).to_pylist(), labels.bad.tolist(), strict=True):
            if said.setdefault(value, bad) != bad:
                raise InputError(f"{labels.path}: one {by} is labelled bad in one row and good in another")
        return cls(by, said)

    def of_rows(self, part: Part) -> np.ndarray:
        values = part.keys if self.by == "key" else part.columns[self.by]
        return np.array([int(self.labels.get(v, -1)) for v in values.to_pylist()], dtype=np.int8)


def _judged(run: AuditedRun, asked: Sequence[str]) -> list[str]:
    names = [s.name for s in run.filters]
    wrong = next((name for name in asked if name not in names), None)
    if wrong is not None:
        raise InputError(
            f"--judged {wrong}: no filter of this run; there are {', '.join(names)}.{nearest(wrong, names)}"
        )
    return list(asked) or names


def _swaps(run: AuditedRun, texts: Chosen, how: Looking) -> Iterator[SwapLine]:
    for stage in over_text(run.filters) if how.swaps else ():
        yield from swap_lines(stage, "captions", texts.contexts(), how.confidence)
        yield from swap_lines(stage, "templates", template_contexts(), how.confidence)


def _offer_published(drawn: Drawn, texts: Chosen) -> None:
    """Take published texts for the swaps where no others are left; those that filters dropped are not among them."""
    for table in drawn.tables(TEXTS):
        for name in TEXTS:
            texts.offer(table[name].combine_chunks())


def _published(drawn: Drawn, how: Looking) -> Iterator[PublishedShare]:
    """Count groups among published samples: all that is left after a purge."""
    tally = Tally(0)
    for table in drawn.tables(("caption", "text", "url", "width", "height")):
        for kind in kinds(pa.table({n: table[n] for n in table.column_names if table[n].null_count < len(table)})):
            tally.count_kind(kind, np.zeros(len(table), np.int64), np.zeros(len(table), bool))
    tally.pool("source", tally.small("source", how.least), POOLED)
    for (name, group), counts in sorted(tally.groups.items()):
        if counts.sum() >= how.least:
            share = Share.counted(int(counts.sum()), int(tally.known[name].sum()), how.confidence)
            yield PublishedShare(name, group, share)


def _not_told(run: AuditedRun, counted: _Counted, how: Looking, labels: LabelFile | None) -> Iterator[str]:
    tally = counted.every
    absent = [kind for kind in _NEEDS if kind not in tally.known]
    if absent:
        yield f"no stored column tells groups by {', '.join(absent)}"
    late = [(kind, run.known_from(_NEEDS[kind])) for kind in tally.known if kind in _NEEDS]
    yield from (f"{k} is known from {run.stages[i]} on: what left before is in no group" for k, i in late if i)
    yield from (
        f"the second judge of {s.name} was not asked: it is not here, and nothing is asked over the network"
        for s in run.filters
        if how.swaps and offline(s) is not s
    )
    few = sum(counts.sum() < how.least for counts in tally.groups.values())
    if few:
        yield f"{few} groups with fewer than {how.least} samples are not told of"
    if labels is not None and counted.labelled < len(labels.bad):
        yield f"{labels.path}: {counted.labelled:,} samples of the run are labelled by its {len(labels.bad):,} rows"
