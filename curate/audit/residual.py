"""What is left of personal data in what a run publishes: a random sample, looked through once more by the run's edits.

Every edit that replaced columns in place is opened once more, here and more sensitive than in the run, on samples
that it edited already: what it still finds is left over. The bound is exact and one-sided (Clopper and Pearson 1934),
and goes as far as the detector sees: what it is blind to it misses twice. People who read the sample (`--review`) are
not blind to the same things, and give an estimate of their own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.audit.bounds import upper
from curate.audit.published import TEXT_COLUMNS, Drawn
from curate.errors import StageError
from curate.recipe import Recipe
from curate.run.opened import DROPPED, FAILED, FOUND, Measure, open_stage
from curate.sample import COLUMNS
from curate.stage import Edit

ANY = "any of them"


@dataclass(frozen=True)
class ResidualLine:
    """One kind of personal data, as one edit finds it in what it edited already."""

    stage: str
    kind: str
    found: int
    """Samples in which there is some."""
    looked: int
    per_million: float
    """One-sided upper bound, at the confidence of the audit."""
    per_million_found: float


@dataclass
class _Found:
    kinds: Counter[str] = field(default_factory=Counter)
    looked: int = 0
    unread: int = 0


@dataclass(frozen=True)
class Residual:
    """What an edit still finds."""

    stage: str
    settings: dict[str, Any]
    """What was changed for this look."""
    lines: tuple[ResidualLine, ...]
    unread: int
    """Samples that the edit could not look at."""
    everything: bool
    """Whether all published samples were looked at, so that bounds are counts."""


def edits_in_place(recipe: Recipe) -> list[Edit]:
    """Return the edits that replaced what they read: those that took something out."""
    edits = [s for s in recipe.stages if isinstance(s, Edit)]
    return [s for s in edits if {f.name for f in s.outputs()} & set(s.inputs())]


def sharper(stage: Edit, score_at_least: float) -> tuple[Edit, dict[str, Any]]:
    """Return the edit set to find more, and what was changed: a lower threshold, more kinds, every text column."""
    fields = type(stage).model_fields
    changed: dict[str, Any] = {}
    if "score_at_least" in fields:
        changed["score_at_least"] = min(score_at_least, stage.score_at_least)  # type: ignore[attr-defined]
    if "entities" in fields:
        own = stage.entities  # type: ignore[attr-defined]
        changed["entities"] = tuple(sorted({*own, *fields["entities"].get_default(call_default_factory=True)}))
    if "columns" in fields:
        every = [c for c in _choices(fields["columns"].annotation) if c in TEXT_COLUMNS]
        changed["columns"] = tuple(every) or stage.columns  # type: ignore[attr-defined]
    # What is written here is thrown away: it needs no secret, and drops nobody.
    thrown = {n: v for n, v in (("actions", {"default": "placeholder"}), ("match", False)) if n in fields}
    return stage.model_copy(update=changed | thrown), changed


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def residual(stage: Edit, drawn: Drawn, score_at_least: float, confidence: float) -> Residual:
    """Look through drawn samples with one edit.

    Raises:
        ModelError: its weights are not here.
    """
    sharp, changed = sharper(stage, score_at_least)
    try:
        opened = open_stage(sharp)
    except StageError:
        # A kind that it looks for by default is none of the recipe's languages: those that the recipe names must do.
        changed |= {"entities": stage.entities} if "entities" in changed else {}  # type: ignore[attr-defined]
        sharp = sharp.model_copy(update=changed)
        opened = open_stage(sharp)
    texts = len(sharp.inputs()) == 1 and sharp.inputs()[0] in ("caption", "text", "transcript")
    found = _Found()
    for table in drawn.tables(tuple(dict.fromkeys((*sharp.inputs(), *(TEXT_COLUMNS if texts else ()))))):
        given, row = every_text(table, sharp.inputs()[0]) if texts else (table, np.arange(len(table)))
        _look(opened, given, row, found, len(table))
    kinds = {*changed.get("entities", ()), *found.kinds} - {ANY}
    lines = [_line(stage.name, kind, found, drawn, confidence) for kind in (ANY, *sorted(kinds))]
    return Residual(stage.name, changed, tuple(lines), found.unread, drawn.everything and not found.unread)


def every_text(table: pa.Table, name: str) -> tuple[pa.Table, np.ndarray]:
    """Return every published text of n samples as rows of the one column that a stage reads, and whose each is."""
    pairs = [
        (row, text)
        for column in TEXT_COLUMNS
        for row, value in enumerate(table[column].to_pylist())
        for text in ([t["value"] for t in value or ()] if column == "conversations" else [value])
        if text is not None
    ]
    texts = pa.array([text for _, text in pairs], COLUMNS.field(name).type)
    return pa.table({name: texts}), np.array([row for row, _ in pairs], dtype=np.int64)


def _look(opened: Measure, given: pa.Table, row: np.ndarray, found: _Found, samples: int) -> None:
    result = opened(given)
    lists = result[FOUND.name].combine_chunks()
    reasons = pc.struct_field(pc.list_flatten(lists), "reason").to_pylist()
    hits = set(zip(row[pc.list_parent_indices(lists).to_numpy()].tolist(), reasons, strict=True))
    told = pc.or_(result[FAILED.name].is_valid(), result[DROPPED.name].is_valid()).combine_chunks()
    # Turned away without a finding: in a language that the edit does not know, say.
    unread = set(row[np.asarray(told.to_numpy(zero_copy_only=False))].tolist()) - {sample for sample, _ in hits}
    found.kinds.update(kind for _, kind in hits)
    found.kinds[ANY] += len({sample for sample, _ in hits})
    found.unread += len(unread)
    found.looked += samples - len(unread)


def _line(stage: str, kind: str, found: _Found, drawn: Drawn, confidence: float) -> ResidualLine:
    hits = min(found.kinds[kind], found.looked)
    share = hits / found.looked if found.looked else 0.0
    # Where every sample was looked through nothing is left to chance.
    bound = share if drawn.everything and not found.unread else upper(hits, found.looked, confidence)
    return ResidualLine(stage, kind, hits, found.looked, 1e6 * bound, 1e6 * share)


def kinds_in(values: Sequence[str]) -> Iterator[str]:
    """Yield `ANY` and each kind once, of what a person found in a sample."""
    if values:
        yield ANY
        yield from sorted(set(values))
