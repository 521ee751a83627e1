"""Keys that were erased. Every reader obeys them from the moment it is opened, whatever its shards still hold."""

import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.errors import IntegrityError
from curate.storage import Folder

TOMBSTONES = "tombstones.parquet"
ERASED = "erased"
"""The reason that the books and the ledger give for a sample that has a tombstone."""
SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("request", pa.string(), nullable=False),  # names RUN/erasures/REQUEST.json
        pa.field("at", pa.timestamp("s", tz="UTC"), nullable=False),
        pa.field("selector", pa.string(), nullable=False),  # url, domain, key, text, image or duplicate; never a value
    ]
)

_REQUEST = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")


def is_request(name: str) -> bool:
    """Tell whether a request's reference can be the name of a file: it has no way out of a folder."""
    return _REQUEST.fullmatch(name) is not None and ".." not in name


def read_tombstones(run: Folder) -> pa.Table:
    """Return every tombstone of a run, in the order in which they were put up.

    Raises:
        IntegrityError: the file is damaged: no reader may go on as if nothing had been erased.
    """
    if not run.exists(TOMBSTONES):
        return SCHEMA.empty_table()
    try:
        table = _filled(run.read_parquet(TOMBSTONES)).select(SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowTypeError, KeyError, ValueError) as error:
        raise _damaged(run) from error
    if not all(map(is_request, table["request"].unique().to_pylist())):
        raise _damaged(run)
    return table


def _filled(table: pa.Table) -> pa.Table:
    """Add what another program, which wrote keys alone, did not say."""
    unsaid = {"request": "unrecorded", "at": 0, "selector": "key"}
    for name, value in unsaid.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * table.num_rows).cast(SCHEMA.field(name).type))
    return table


def erased_keys(run: Folder) -> pa.Array:
    """Return string[n], the keys that were erased; only the column `key` is needed for it.

    Raises:
        IntegrityError: the file is damaged: no reader may go on as if nothing had been erased.
    """
    if not run.exists(TOMBSTONES):
        return pa.array([], pa.string())
    try:
        return run.read_parquet(TOMBSTONES, ["key"])["key"].combine_chunks().cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, KeyError, ValueError) as error:
        raise _damaged(run) from error


def write_tombstones(run: Folder, table: pa.Table) -> None:
    """Replace a run's tombstones, whole or not at all."""
    with run.writing(TOMBSTONES) as local:
        pq.write_table(table.cast(SCHEMA), local, compression="zstd")


def reason_where_erased(run: Folder, keys: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return string[n]: `erased` where a key has a tombstone, null where it has none."""
    gone = pc.is_in(keys, value_set=erased_keys(run))
    reasons = pc.if_else(gone, ERASED, pa.scalar(None, pa.string()))
    return reasons.combine_chunks() if isinstance(reasons, pa.ChunkedArray) else reasons


def _damaged(run: Folder) -> IntegrityError:
    return IntegrityError(
        f"{run.url}/{TOMBSTONES}: is damaged, so nobody can tell what was erased. Restore it from a copy; "
        "the keys of every request stand in RUN/erasures too."
    )
