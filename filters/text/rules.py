"""Rules over measurements: a bound on a column, which a setting holds, and the reason for what is outside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.stage import Stage


@dataclass(frozen=True)
class Rule:
    """Drop a row whose `column` is below (`at_least`) or above (`at_most`) what `setting` says; null drops nothing."""

    column: str
    bound: Literal["at_least", "at_most"]
    setting: str
    reason: str


def first_broken(stage: Stage, rules: Sequence[Rule], scores: pa.Table) -> pa.Array:
    """Return string[n]: the reason of the first rule that a row breaks, null where it breaks none."""
    reason = pa.nulls(len(scores), pa.string())
    for rule in reversed(rules):
        limit = getattr(stage, rule.setting)
        if limit is not None:
            outside = pc.less if rule.bound == "at_least" else pc.greater
            column = scores.column(rule.column).combine_chunks()
            # In the column's own type: 0.3 in float32 is above 0.3 in float64, and bounds are inclusive.
            broken = outside(column, pa.scalar(limit, column.type))
            reason = pc.if_else(pc.fill_null(broken, fill_value=False), rule.reason, reason)
    return reason


def share(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return part / whole, not-a-number where there is no whole."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=np.asarray(whole) > 0)


def as_columns(fields: Sequence[pa.Field], arrays: Sequence[NDArray[Any]], known: pa.Array) -> list[pa.Array]:
    """Return Arrow columns: null where `known` (bool[n]) is false, and where a number is not one."""
    columns = []
    for field, values in zip(fields, arrays, strict=True):
        column = pa.array(values, from_pandas=True).cast(field.type)
        columns.append(pc.if_else(known, column, pa.scalar(None, field.type)))
    return columns
