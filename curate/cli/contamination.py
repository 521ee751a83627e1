"""What a run held of evaluation sets, from the command line: tables or JSON."""

import json

from rich.table import Table

from curate.audit.contamination import Contamination, SetLine, contamination
from curate.audit.runs import open_run
from curate.cli.show import pages

MOST_ITEMS = 10
"""Of a set, unless all are asked for; JSON has all."""


def run_contamination(url: str, examples: int, *, every: bool, as_json: bool) -> None:
    """Print which test items a run's samples held.

    Raises:
        RunError: there is no finished run, it has no such stage, or its evaluation sets are not what they were.
    """
    found = contamination(open_run(url), examples)
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        _show(found, every=every)


def _show(found: Contamination, *, every: bool) -> None:
    console = pages()
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in sorted(found.dropped.items())) or "none"
    console.print(f"{found.measured:,} samples were compared with the evaluation sets; dropped: {dropped}\n")
    console.print(_sets(found))
    for line in found.sets:
        if line.held:
            console.print(f"\n{line.name}: items that most samples held", style="bold", highlight=False)
            console.print(_items(line, len(line.held) if every else MOST_ITEMS))
    for note in found.notes:
        console.print(f"\n{note}", highlight=False)


def _sets(found: Contamination) -> Table:
    table = _table("set", "items", "looked for", "held", "share", "by samples", "in what was published")
    for line in found.sets:
        share = f"{100 * len(line.held) / line.items:.1f} %"
        counts = (line.items, line.searched, len(line.held), share, line.samples, line.published)
        table.add_row(line.name, *(cell if isinstance(cell, str) else f"{cell:,}" for cell in counts))
    return table


def _items(line: SetLine, most: int) -> Table:
    table = _table("item", "samples", "published", "most of it", "worst sample")
    for item in line.held[:most]:
        much = f"{item.bits} bits away" if item.share is None else f"{100 * item.share:.0f} %"
        key = item.examples[0]["key"] if item.examples else "-"
        table.add_row(item.item, f"{item.samples:,}", f"{item.published:,}", much, key)
    if len(line.held) > most:
        table.add_row(f"and {len(line.held) - most:,} more", "", "", "", "")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", overflow="fold")
    return table
