"""Taking erased samples out of a run's ledger and books: their fate stays, so that the books go on balancing."""

import json
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from curate.ledger import FOLDER, part_name, read_part, without_erased
from curate.run.books import Books
from curate.run.layout import BOOKS, Run, read_json
from curate.run.parts import write_table
from curate.shards.tombstones import ERASED


def partitions_of(run: Run, keys: pa.Array) -> list[int]:
    """Return the partitions of the source that list any of these keys (string[n]), in order."""
    found = []
    for name in run.folder.names(FOLDER):
        stored = (run.folder / FOLDER).read_parquet(name, ["key"])["key"]
        if pc.any(pc.is_in(stored, value_set=keys)).as_py():
            found.append(int(name.removesuffix(".parquet").rpartition("-")[2]))
    return sorted(found)


def strip_ledger(run: Run, erased: pa.Array, partitions: Sequence[int]) -> None:
    """Leave of erased samples their fate alone, `erased` where they were kept; doing it again changes nothing."""
    for partition in partitions:
        before = read_part(run.folder, partition)
        after = without_erased(before, erased).combine_chunks()
        if not after.equals(before.combine_chunks()):
            write_table(run.folder / FOLDER, part_name(partition) + ".parquet", after)


def drop_from_books(run: Run, left: int) -> None:
    """Count what the sink keeps no more as dropped, `erased`; doing it again changes nothing."""
    stored = read_json(run.folder, BOOKS)
    books = Books.from_json(stored["stages"])
    sink = list(books.values())[-1]
    gone = sink.kept - left
    if gone:
        sink.kept = left
        sink.dropped += Counter({ERASED: gone})
        run.folder.write(BOOKS, json.dumps({**stored, "stages": books.to_json()}, indent=1).encode())
