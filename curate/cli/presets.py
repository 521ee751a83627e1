"""What can be trained, and what a training run would be, as tables."""

import json
from typing import Any

from rich.table import Table

from curate.cli.show import pages
from curate.cli.train import overrides_of

_GIB = 1 << 30


def run_presets(*, as_json: bool) -> None:
    """Print a row for each preset."""
    from curate.train import preset_table

    rows = preset_table()
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    table = _table("preset", "architecture", "learns", "parameters", "memory")
    for row in rows:
        memory = f"{row['weight_bytes'] / _GIB:,.{1 if row['weight_bytes'] >= _GIB else 2}f} GiB"
        table.add_row(row["preset"], row["architecture"], f"{row['learns']:,}", f"{row['total']:,}", memory)
    pages().print(table)
    print("memory: weights, gradients and AdamW's moments on one process; activations come on top (--dry-run)")


def run_preset(name: str, *, as_json: bool) -> None:
    """Print every setting of a preset."""
    from curate.train import preset_settings

    rows = preset_settings(name)
    if as_json:
        print(json.dumps({key: value for key, value, _ in rows}))
        return
    table = Table("setting", "value", "", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*row)
    pages().print(table)


def run_forecast(preset: str, data: list[str], settings: list[str], *, as_json: bool) -> None:
    """Print what training would be."""
    from curate.train import forecast

    found = forecast(preset, data, overrides=overrides_of(settings))
    if as_json:
        print(json.dumps(found))
        return
    table = _table("part", "parameters", "learn")
    for part in found["parts"]:
        table.add_row(part["name"], f"{part['parameters']:,}", f"{part['learns']:,}" if part["learns"] else "frozen")
    table.add_row("all", f"{found['total']:,}", f"{found['learns']:,}", style="bold")
    pages().print(table)
    for line in _lines(found):
        print(line)


def _lines(found: dict[str, Any]) -> list[str]:
    said = [f"memory    {found['weight_bytes'] / _GIB:,.2f} GiB for weights, gradients and AdamW's moments"]
    if kept := found.get("activation_bytes"):
        said[0] += f"; about {kept / _GIB:,.2f} GiB for activations of its language model on the longest micro-batch"
    else:
        said[0] += "; activations, which come on top, are not estimated"
    said.append(f"samples   {found['samples']:,}, shown {found['epochs']:,.1f} times each")
    if "unread" in found:
        said.append(f"tokens    not counted: {found['unread']}")
    else:
        said.append(f"tokens    {found['labelled_tokens']:,.0f} to learn from; {found['places']:,.0f} places a sample")
        said.append(f"usable    {found['usable']:.1%} of the {found['looked_at']:,} samples whose text was read")
        said += [f"          {n:,} {reason}" for reason, n in found["unusable"].items()]
    if found["needs"]:
        said.append("missing   " + " ".join(f"--set {name}=DIR" for name in found["needs"]))
    return said


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, header_style="bold", pad_edge=False)
    for name in others:
        table.add_column(name, justify="left" if name == "architecture" else "right")
    return table
