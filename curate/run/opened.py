"""A stage opened on a worker, made safe: one bad sample costs one sample.

Every stage becomes a function from a table of n rows to a result of n rows: its columns, `_failed` (a reason or
null) and, for an Edit, `_dropped` and `_findings`. What a stage raises on one row is isolated by halving the table.
"""

import sys
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import CurateError, ModelError, StageError
from curate.stage import FINDINGS, Edit, Edited, Editor, Filter, Measured, Scorer, Stage

FINDING = pa.struct([f for f in FINDINGS if f.name != "row"])
FAILED = pa.field("_failed", pa.string())
DROPPED = pa.field("_dropped", pa.string())
FOUND = pa.field("_findings", pa.list_(FINDING))

Measure = Callable[[pa.Table], pa.Table]


def result_schema(stage: Stage) -> pa.Schema:
    """Return the columns of a stage's results."""
    extra = [FAILED, DROPPED, FOUND] if isinstance(stage, Edit) else [FAILED]
    return pa.schema([*stage.outputs(), *extra])


def open_stage(stage: Stage) -> Measure:
    """Open a Filter or an Edit; return its safe form.

    Raises:
        ModelError: a package or weights that it needs are not here.
        StageError: it is neither, or (when called) it breaks its contract.
    """
    try:
        if isinstance(stage, Filter):
            return _filtering(stage, stage.open())
        if isinstance(stage, Edit):
            return _editing(stage, stage.open())
    except ImportError as error:
        raise ModelError(
            f"{stage.name}: {error}. Install what filters need: pip install 'curate-multimodal[filters]'"
        ) from error
    raise StageError(f"{stage.name}: a {stage.kind} is not opened row by row")


def _filtering(stage: Filter, scorer: Scorer) -> Measure:
    return _isolating(stage, lambda table: _scored(stage, scorer(table), table.num_rows))


def _editing(stage: Edit, editor: Editor) -> Measure:
    return _isolating(stage, lambda table: _edited(stage, editor(table), table))


def _isolating(stage: Stage, measure: Measure) -> Measure:
    schema = result_schema(stage)

    def safe(table: pa.Table) -> pa.Table:
        _claim_threads(stage)
        try:
            return measure(table)
        except CurateError:
            raise
        # The one place that may catch anything: a stage's code met a sample it cannot take. The message is not
        # kept, since it may quote the sample.
        except Exception as error:  # noqa: BLE001
            if table.num_rows == 1:
                return failed_rows(schema, 1, f"error_{type(error).__name__}")
        middle = table.num_rows // 2
        return pa.concat_tables([safe(table.slice(0, middle)), safe(table.slice(middle))])

    return safe


def _claim_threads(stage: Stage) -> None:
    """Have torch, if a stage loaded it, use as many threads as this stage claims CPUs.

    The number of threads changes the last bits of a score, so it may depend on the recipe alone, not on the machine.
    """
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(max(1, int(stage.resources.cpus)))


def failed_rows(schema: pa.Schema, rows: int, reason: str) -> pa.Table:
    """Return results that say that rows failed."""
    columns = [pa.nulls(rows, f.type) for f in schema]
    columns[schema.get_field_index(FAILED.name)] = pa.array([reason] * rows, pa.string())
    return pa.table(columns, schema=schema)


def _scored(stage: Filter, scores: Sequence[pa.Array] | Measured, rows: int) -> pa.Table:
    measured = scores if isinstance(scores, Measured) else Measured(scores, pa.nulls(rows, pa.string()))
    arrays = [_numbers(flat(c)) for c in measured.columns]
    _check(stage, arrays, rows)
    unmeasured = pc.if_else(arrays[0].is_null(), "unmeasured", pa.scalar(None, pa.string()))
    failed = pc.coalesce(_reasons(measured.failed, rows), unmeasured)
    return pa.table([*arrays, failed], schema=result_schema(stage))


def _numbers(column: pa.Array) -> pa.Array:
    """Turn not-a-number into null: it compares as neither below nor above any threshold, and would pass them all."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def _edited(stage: Edit, edited: Edited, table: pa.Table) -> pa.Table:
    rows = table.num_rows
    arrays = [flat(edited.columns[f.name]) for f in stage.outputs()]
    _check(stage, arrays, rows)
    if edited.changed is not None:
        before = [_column(table, f) for f in stage.outputs()]
        arrays = [pc.if_else(edited.changed, new, old) for new, old in zip(arrays, before, strict=True)]
    failed, dropped = (_reasons(column, rows) for column in (edited.failed, edited.dropped))
    return pa.table([*arrays, failed, dropped, _by_row(edited.findings, rows)], schema=result_schema(stage))


def _reasons(column: pa.Array | None, rows: int) -> pa.Array:
    return pa.nulls(rows, pa.string()) if column is None else flat(column).cast(pa.string())


def _column(table: pa.Table, field: pa.Field) -> pa.Array:
    return flat(table[field.name]) if field.name in table.column_names else pa.nulls(table.num_rows, field.type)


def _by_row(findings: pa.Table | None, rows: int) -> pa.Array:
    """Gather findings into one list a row."""
    if findings is None or findings.num_rows == 0:
        return pa.nulls(rows, FOUND.type)
    told = [findings[f.name] if f.name in findings.column_names else pa.nulls(findings.num_rows, f.type)
            for f in FINDINGS]  # fmt: skip
    findings = pa.table(told, names=FINDINGS.names).cast(FINDINGS).sort_by("row").combine_chunks()
    counts = np.bincount(findings["row"].to_numpy(), minlength=rows)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    parts = [flat(findings[f.name]) for f in FINDING]
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(parts, fields=list(FINDING)))


def flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _check(stage: Stage, arrays: list[pa.Array], rows: int) -> None:
    if len(arrays) != len(stage.outputs()):
        raise StageError(f"{stage.name}: returned {len(arrays)} columns, declares {len(stage.outputs())}")
    for field, array in zip(stage.outputs(), arrays, strict=True):
        if len(array) != rows or array.type != field.type:
            raise StageError(
                f"{stage.name}: column '{field.name}' came back as {array.type}[{len(array)}], "
                f"declared {field.type}[{rows}]"
            )
