"""An audit as one HTML file that needs nothing else."""

from collections.abc import Iterable
from html import escape

from curate.audit.tables import Section

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.2rem .8rem .2rem 0;text-align:left;"
    "vertical-align:top;border-bottom:1px solid #ddd}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
)


def page(title: str, sections: Iterable[Section]) -> str:
    """Return the page; everything in it is escaped."""
    body = "".join(map(_section, sections))
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>{body}</body></html>\n'


def _section(section: Section) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in section.notes)
    return f"<h2>{escape(section.title)}</h2>{notes}{_table(section) if section.rows else ''}"


def _table(section: Section) -> str:
    kinds = ["" if i < section.words else ' class="n"' for i in range(len(section.columns))]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, section.columns, strict=True))
    rows = (
        "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)) for row in section.rows
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
