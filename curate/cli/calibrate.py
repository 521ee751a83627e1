"""Choosing a threshold from the command line: what is promised, what it costs, and the line to write."""

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rich.table import Table

from curate.audit.calibrate import Calibrated, Chosen, Rate, calibrate, scored_of
from curate.audit.labels import LabelFile, read_labels
from curate.audit.measuring import bound_of, compared, confirm, find_filter, inputs_of, measure, offline
from curate.audit.promise import RISKS, Promise
from curate.cli.show import pages
from curate.errors import InputError
from curate.recipe import load_recipe
from curate.stage import Filter


@dataclass(frozen=True)
class Asked:
    """The command's options."""

    recipe: str
    stage: str
    labels: str
    risks: tuple[str, ...]
    label: str
    group: str | None
    score: str | None
    bound: str | None
    columns: tuple[str, ...]
    confidence: float
    seed: int


def run_calibrate(asked: Asked, settings: list[str], *, uncertain: bool, as_json: bool) -> None:
    """Choose, check against the filter's own decisions, and print.

    Raises:
        RecipeError: the recipe is wrong, or has no such filter.
        InputError: the label file cannot be used, or cannot support what is to be promised.
        ModelError: weights are not here.
    """
    if not 0 < asked.confidence < 1:
        raise InputError(f"--confidence {asked.confidence:g}: write a share between 0 and 1, such as 0.95")
    promises = [Promise.of(text) for text in asked.risks]
    stage = offline(find_filter(load_recipe(asked.recipe, settings), asked.stage, asked.recipe))
    bound = bound_of(stage, asked.bound)
    labels = read_labels(asked.labels, asked.label)
    groups = None if asked.group is None else labels.texts(asked.group)
    measured, scores = (None, labels.numbers(asked.score)) if asked.score else _measured(stage, bound, labels, asked)
    scored, unmeasured = scored_of(scores, labels.bad, groups)
    found = calibrate(scored, bound, promises, asked.confidence, seed=asked.seed, uncertain=uncertain)
    if measured is not None:
        there, turned = measured.filter(~np.isnan(scores)), 1.0 if bound == "at_most" else -1.0
        for chosen in found.chosen:
            confirm(stage, bound, there, chosen.value, turned * scored.scores <= turned * chosen.value)
    if as_json:
        counts = {"unlabelled": labels.unlabelled, "unmeasured": unmeasured}
        print(json.dumps({"stage": stage.name, **found.to_json(), **counts, "lines": _lines(stage, found)}))
        return
    _show(stage, found, labels, unmeasured)


def _measured(stage: Filter, bound: str, labels: LabelFile, asked: Asked) -> tuple[pa.Table, npt.NDArray[np.float64]]:
    columns = dict(_renamed(text) for text in asked.columns)
    measured = measure(stage, inputs_of(stage, labels, columns))
    return measured, compared(stage, bound, measured)


def _renamed(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not (name and equals and column):
        raise InputError(f"--column {text}: write it as NAME=COLUMN, for example --column caption=comment")
    return name, column


def _lines(stage: Filter, found: Calibrated) -> list[str]:
    """Return what to write in the recipe; of two thresholds the nearer under the filter's own name for it."""
    *near, last = found.chosen
    own = next((n for n in type(stage).model_fields if n.startswith("uncertain")), None)
    lines = [f"{found.bound}: {_number(last.value)}"]
    return lines + [f"{own}: {_number(chosen.value)}" for chosen in near if own is not None]


def _number(value: float) -> str:
    """Return it so that it reads back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _show(stage: Filter, found: Calibrated, labels: LabelFile, unmeasured: int) -> None:
    console = pages()
    bad = int(labels.bad.sum())
    print(f"{stage.name}: {len(labels.bad):,} labelled rows, {bad:,} bad and {len(labels.bad) - bad:,} good")
    if labels.unlabelled:
        print(f"{labels.unlabelled:,} rows of {labels.path} have no label and say nothing here")
    if unmeasured:
        print(f"{unmeasured:,} rows could not be measured: in a run they fail, whatever the threshold")
    for chosen in found.chosen:
        print()
        print(f"{chosen.role} {found.bound} {_number(chosen.value)} promises, at {found.confidence:.4g} confidence:")
        print("  " + " and ".join(chosen.promises) + (", in every group" if len(chosen.lines) > 1 else ""))
        console.print(_table(chosen))
    if len(found.chosen) > 1:
        lower, upper = (_number(c.value) for c in found.chosen)
        print(f"\n{found.uncertain:,} of {found.rows:,} labelled rows are uncertain: between {lower} and {upper}")
    elif len(found.chosen[0].promises) > 1:
        print(f"\nEach promise is made at {found.each_confidence:.4g}, so that all of them hold together.")
    print("\nIn square brackets: exact two-sided intervals of the labelled rows. Write in the recipe:\n")
    print(f"  - {stage.name}:")
    for line in _lines(stage, found):
        print(f"      {line}")


def _table(chosen: Chosen) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("group", overflow="fold")
    for name in ("bad", "good", *RISKS, "shown to be"):
        table.add_column(name, justify="right", overflow="fold")
    for line in chosen.lines:
        shown = ", ".join(f"{risk} <= {100 * bound:.2f} %" for risk, bound in line.promised.items())
        rates = (rate_cell(line.rates[risk]) for risk in RISKS)
        table.add_row(line.group, f"{line.bad:,}", f"{line.good:,}", *rates, shown)
    return table


def rate_cell(rate: Rate) -> str:
    """Spell a share with its interval, in percent."""
    if not rate.trials:
        return "-"
    share = 100 * rate.errors / rate.trials
    return f"{share:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
