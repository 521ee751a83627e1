"""A filter of a recipe, opened here, and the number that its threshold is compared with."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from curate.audit.labels import LabelFile
from curate.errors import InputError, RecipeError, StageError, nearest
from curate.recipe import Recipe
from curate.run.opened import FAILED, open_stage
from curate.sample import COLUMNS
from curate.stage import Filter

BOUNDS = ("at_most", "at_least")
BATCH_ROWS = 256
_TRIED = 64
"""Thresholds at which a guess of the compared number must agree with the filter's own decisions."""


def find_filter(recipe: Recipe, name: str, where: str) -> Filter:
    """Return a filter of a recipe.

    Raises:
        RecipeError: the recipe has no stage of this name, or it is no filter.
    """
    found = next((s for s in recipe.stages if s.name == name), None)
    if found is None:
        names = [s.name for s in recipe.stages if isinstance(s, Filter)]
        raise RecipeError([f"{where}: no stage '{name}'; its filters are {', '.join(names)}.{nearest(name, names)}"])
    if not isinstance(found, Filter):
        raise RecipeError([f"{where}: '{name}' is of kind {found.kind}; only a filter has a threshold to calibrate"])
    return found


def bound_of(stage: Filter, asked: str | None) -> str:
    """Return which threshold is meant: the one asked for, or the only one that the filter has or the recipe sets.

    Raises:
        InputError: it cannot be told, or the filter has none of that name.
    """
    has = [b for b in BOUNDS if b in type(stage).model_fields]
    if asked is not None:
        if asked not in has:
            raise InputError(f"--bound {asked}: {stage.name} has {' and '.join(has) or 'no threshold'}")
        return asked
    if not has:
        raise InputError(f"{stage.name} has neither at_most nor at_least: there is no threshold to choose")
    set_here = [b for b in has if getattr(stage, b) is not None]
    chosen = has if len(has) == 1 else set_here
    if len(chosen) != 1:
        raise InputError(f"{stage.name} has at_most and at_least: say which one is to be chosen, with --bound")
    return chosen[0]


def alone(stage: Filter, bound: str, value: float | None) -> Filter:
    """Return the filter with this threshold and no other: what is labelled speaks of one decision."""
    fields = type(stage).model_fields
    deciding = {
        n for n, f in fields.items() if isinstance(f.json_schema_extra, dict) and f.json_schema_extra["decides"]
    }
    loose = {n: None for n in deciding if fields[n].get_default(call_default_factory=True) is None or n in BOUNDS}
    return stage.model_copy(update=loose | {bound: value})


def inputs_of(stage: Filter, labels: LabelFile, columns: Mapping[str, str]) -> pa.Table:
    """Return what the filter reads, from a label file; `columns` names columns of the file that are called otherwise.

    A picture is read from the path in `image_path`, and gives `width` and `height` where the file has none.

    Raises:
        InputError: the file lacks a column, or a picture cannot be read.
    """
    rows = labels.rows
    for name, called in columns.items():
        rows = rows.drop_columns([name]) if name in rows.column_names and name != called else rows
        rows = rows.append_column(name, labels.column(called)) if name != called else rows
    wanted = stage.inputs()
    pictured = {"image", "width", "height"} & set(wanted) - set(rows.column_names)
    if pictured and "image_path" in rows.column_names:
        made = _pictures(rows["image_path"].to_pylist(), labels.path)
        for name in pictured:
            rows = rows.append_column(name, made[name])
    lacking = [name for name in wanted if name not in rows.column_names]
    if lacking:
        hint = "image_path for a picture" if "image" in lacking else f"--column {lacking[0]}=ITS_NAME for another name"
        raise InputError(f"{labels.path}: {stage.name} reads '{lacking[0]}', which is not a column there ({hint})")
    return pa.table({n: _as_read(rows[n], n) for n in wanted})


def _as_read(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    return column.cast(COLUMNS.field(name).type) if name in COLUMNS.names else column


def _pictures(paths: Sequence[str | None], where: str) -> dict[str, pa.Array]:
    """Return `image`, `width` and `height`; paths are relative to the label file."""
    found: list[tuple[bytes, int, int]] = []
    for row, path in enumerate(paths):
        try:
            data = (Path(where).parent / (path or "")).read_bytes()
            with Image.open(io.BytesIO(data)) as opened:
                found.append((data, *opened.size))
        except (OSError, Image.DecompressionBombError) as error:
            raise InputError(f"{where}: row {row + 1}: image_path '{path}' cannot be read as a picture") from error
    kinds = {n: COLUMNS.field(n).type for n in ("image", "width", "height")}
    return {n: pa.array([f[i] for f in found], kind) for i, (n, kind) in enumerate(kinds.items())}


def offline(stage: Filter) -> Filter:
    """Return the filter without a second judge that it would ask over the network."""
    second = getattr(stage, "second", None)
    return stage if getattr(second, "endpoint", None) is None else stage.model_copy(update={"second": None})


def measure(stage: Filter, rows: pa.Table) -> pa.Table:
    """Open the filter in this process and return its columns for n rows, and `_failed`."""
    opened = open_stage(stage)
    parts = [opened(batch) for batch in _batches(rows)]
    return pa.concat_tables(parts).combine_chunks()


def _batches(rows: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, max(rows.num_rows, 1), BATCH_ROWS):
        yield rows.slice(start, BATCH_ROWS)


def compared(stage: Filter, bound: str, scores: pa.Table) -> npt.NDArray[np.float64]:
    """Return float64[n]: the number that `bound` is compared with; not-a-number where nothing was measured.

    A filter may compare its first column, the highest of several or anything of its own making. What it says itself, at
    thresholds all over the range, decides which.

    Raises:
        InputError: it compares something else.
    """
    measured = scores[FAILED.name].is_null() if FAILED.name in scores.column_names else None
    valid = np.ones(len(scores), bool) if measured is None else np.asarray(measured.to_numpy())
    columns = scores.select([f.name for f in stage.outputs()]).filter(pa.array(valid)).combine_chunks()
    for guess in _guesses(columns):
        if _agrees(stage, bound, columns, guess):
            whole = np.full(len(scores), np.nan)
            whole[valid] = guess
            return whole
    raise InputError(
        f"{stage.name}: what {bound} is compared with cannot be told from its columns; give --score COLUMN"
    )


def _guesses(columns: pa.Table) -> Iterator[npt.NDArray[np.float64]]:
    numeric = [c for c in columns.columns if pa.types.is_integer(c.type) or pa.types.is_floating(c.type)]
    arrays = [np.asarray(c.cast(pa.float64()).to_numpy()) for c in numeric]
    yield from arrays
    if len(arrays) > 1:
        yield np.fmax.reduce(arrays)
        yield np.fmin.reduce(arrays)


def _agrees(stage: Filter, bound: str, columns: pa.Table, guess: npt.NDArray[np.float64]) -> bool:
    numbers = guess[~np.isnan(guess)]
    if not len(numbers):
        return not len(guess)
    tried = np.unique(np.quantile(numbers, np.linspace(0, 1, _TRIED), method="nearest"))
    return all(np.array_equal(kept(stage, bound, columns, t), _passes(bound, guess, t)) for t in tried)


def _passes(bound: str, scores: npt.NDArray[np.float64], value: float) -> npt.NDArray[np.bool_]:
    return scores <= value if bound == "at_most" else scores >= value


def kept(stage: Filter, bound: str, columns: pa.Table, value: float | None) -> npt.NDArray[np.bool_]:
    """Return bool[n]: what the filter itself keeps with this threshold alone."""
    typed: Any = value
    if value is not None and type(stage).model_fields[bound].annotation in {int, int | None}:
        typed = int(value)
    reasons = alone(stage, bound, typed).decide(columns.select([f.name for f in stage.outputs()]))
    return np.asarray(pc.is_null(reasons).to_numpy(zero_copy_only=False))


def confirm(stage: Filter, bound: str, columns: pa.Table, value: float, expected: npt.NDArray[np.bool_]) -> None:
    """Raise StageError where the filter decides otherwise with a threshold than was reckoned."""
    if not np.array_equal(kept(stage, bound, columns, value), expected):
        raise StageError(f"{stage.name}: {bound} {value:g} does not decide as its scores say; give --score COLUMN")
