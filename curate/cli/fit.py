"""Fitting a model from the command line: what it learned from, how well it does, and the line to write."""

import json
import sys
from typing import Any

from rich.table import Table

from curate.cli.show import pages
from curate.fit import Recipe, Side, fit_quality
from curate.fit.figures import PASSES

_TENTH = PASSES.index(0.1)  # DCLM's share


def run_fit_quality(sides: tuple[Side, Side], out: str, recipe: Recipe, *, as_json: bool) -> None:
    """Fit, and print what the card says.

    Raises:
        InputError: files cannot be read, or hold too few documents.
        StorageError: the model cannot be written.
    """
    fitted = fit_quality(*sides, out, recipe, lambda line: print(line, file=sys.stderr))
    if as_json:
        print(json.dumps(fitted.told))
        return
    told = fitted.told["figures"]
    half = told["at_half"]
    print(f"{fitted.model}: {fitted.told['model']['bytes'] / 1e6:,.0f} MB; card {fitted.card}")
    print(f"on {told['good']:,} good and {told['bad']:,} bad documents that were held out: AUC {told['auc']:.4f};")
    print(f"at 0.5 precision {_share(half['precision'])}, recall {_share(half['recall'])}")
    console = pages()
    console.print()
    console.print(_quantiles(told["quantiles"]))
    console.print()
    console.print(_thresholds(told["thresholds"]))
    threshold = told["thresholds"][_TENTH]["at_least"]
    print("\nWrite in the recipe, with the threshold that suits you:\n")
    settings = f"model: {fitted.model}, good_label: {sides[0].label}, at_least: {threshold:.6g}"
    print(f"  - fasttext_quality: {{{settings}}}")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _quantiles(quantiles: dict[str, dict[str, float]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("score below which lie")
    for name in quantiles["good"]:
        table.add_column(f"{100 * float(name):g} %", justify="right")
    for side, found in quantiles.items():
        table.add_row(f"of the {side}", *(f"{value:.3f}" for value in found.values()))
    return table


def _thresholds(lines: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("at_least", "bad kept", "good kept", "precision"):
        table.add_column(name, justify="right")
    for line in lines:
        kept = (_share(line[name]) for name in ("bad_kept", "recall", "precision"))
        table.add_row(f"{line['at_least']:.6g}", *kept)
    return table
