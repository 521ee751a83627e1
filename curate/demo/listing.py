"""The demo's list of URLs: the real pictures, with the planted rows spread among them."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from curate.demo.faults import Fault
from curate.demo.pictures import Collection

Row = tuple[str, str]
"""URL and caption."""


def write_list(path: Path, collection: Collection, faults: Sequence[Fault], address: str) -> int:
    """Write the list as Parquet and return its length; a file that is right already keeps its time.

    A run knows its input by name, size and time, and would take a rewritten list for a new one.
    """
    pictures = [(f"{address}/files/{quote(p.path)}", p.caption) for p in collection.pictures]
    rows = spread(pictures, [(fault.url(address), fault.caption) for fault in faults])
    table = pa.table({"url": [url for url, _ in rows], "caption": [caption for _, caption in rows]})
    if not (path.is_file() and pq.read_table(path).equals(table)):
        temporary = path.with_name(f".{path.name}")
        pq.write_table(table, temporary)
        temporary.replace(path)
    return len(rows)


def spread(many: Sequence[Row], few: Sequence[Row]) -> list[Row]:
    """Return both, in order, with the few at even distances among the many."""
    marks = [round((i + 1) * len(many) / (len(few) + 1)) for i in range(len(few))]
    starts, stops = [0, *marks], [*marks, len(many)]
    parts = [many[start:stop] for start, stop in zip(starts, stops, strict=True)]
    return [*chain.from_iterable([*part, row] for part, row in zip(parts, few, strict=False)), *parts[-1]]
