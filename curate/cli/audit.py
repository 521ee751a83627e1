"""An audit from the command line: tables, JSON, or a page."""

import json
from pathlib import Path

from rich.table import Table

from curate.audit.labels import read_labels
from curate.audit.page import page
from curate.audit.report import Audit, Looking, audit
from curate.audit.runs import open_run
from curate.audit.tables import Section, sections
from curate.cli.show import pages
from curate.errors import InputError
from curate.storage import Folder


def run_audit(
    run: str, how: Looking, labels: tuple[str, str] | None, out: str | None, *, every: bool, as_json: bool
) -> None:
    """Look at a run and print what is found; `labels` are a file and the column of its labels.

    Raises:
        RunError: there is no finished run.
        InputError: an option or a file cannot be used.
        ModelError: weights of a filter that is to be opened are not here.
    """
    if not 0 < how.confidence < 1:
        raise InputError(f"--confidence {how.confidence:g}: write a share between 0 and 1, such as 0.95")
    found = audit(open_run(run), how, None if labels is None else read_labels(*labels))
    if out is not None:
        target = Path(out).absolute()
        with Folder(str(target.parent)).writing(target.name) as local:
            local.write_text(page(f"Audit of {found.run}", sections(found, every=True)), encoding="utf-8")
    if as_json:
        print(json.dumps(found.to_json()))
        return
    _show(found, every=every)
    if how.review is not None:
        print(f"\nwrote a random sample for people to read: {how.review} (texts in clear, for your eyes)")
    if out is not None:
        print(f"\nwrote {out}")


def _show(found: Audit, *, every: bool) -> None:
    console = pages()
    for section in sections(found, every=every):
        console.print(f"\n{section.title}", style="bold", highlight=False)
        for note in section.notes:
            console.print(note, highlight=False)
        if section.rows:
            console.print(_table(section))


def _table(section: Section) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(section.columns):
        table.add_column(name, justify="left" if place < section.words else "right", overflow="fold")
    for row in section.rows:
        table.add_row(*row)
    return table
