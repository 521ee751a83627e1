"""Why each sample is in or out: one row for its fate, and one for each thing an edit changed in it.

The ledger may be published: it names the kind of what was found, never the value.
"""

import pyarrow as pa
import pyarrow.compute as pc

from curate.shards.tombstones import ERASED
from curate.storage import Folder

FOLDER = "ledger"
LEDGER = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("event", pa.string(), nullable=False),  # dropped, failed, kept; edited or labelled on the way there
        pa.field("reason", pa.string()),  # null where kept
        pa.field("score", pa.float32()),  # what was measured, or a detector's confidence
        pa.field("detector", pa.string()),  # what found it, with version
        pa.field("place", pa.string()),  # of an edit: where in what was written, such as `caption 12:20`
        pa.field("action", pa.string()),  # of an edit: what was done
        pa.field("match", pa.string()),  # of an edit: keyed hash of the value, only where a secret was given
    ]
)
KEPT, DROPPED = "kept", "dropped"
FATES = (KEPT, DROPPED, "failed")
"""Every sample has exactly one row with one of these events."""


def part_name(partition: int) -> str:
    """Return the file name of a partition, the same in every folder that has one file a partition."""
    return f"part-{partition:05d}"


def without_erased(events: pa.Table, erased: pa.Array) -> pa.Table:
    """Return ledger rows as they are once the samples of some keys were erased.

    Of such a sample its fate alone stays, without what was measured of it: the books go on counting it. What was kept
    is dropped as `erased`, by the stage that kept it.

    Args:
        events: columns of LEDGER, and any others.
        erased: string[n], the keys.
    """
    gone = pc.is_in(events["key"], value_set=erased)
    if not pc.any(gone).as_py():
        return events
    fate = pc.is_in(events["event"], value_set=pa.array([*FATES, "passed"]))
    stays = pc.or_(pc.invert(gone), fate)
    events, gone = events.filter(stays), gone.filter(stays)
    kept = pc.and_(gone, pc.equal(events["event"], KEPT))
    told = {"event": pc.if_else(kept, DROPPED, events["event"]), "reason": pc.if_else(kept, ERASED, events["reason"])}
    for name in ("score", "detector", "place", "action", "match"):
        told[name] = pc.if_else(gone, pa.scalar(None, LEDGER.field(name).type), events[name])
    for name, column in told.items():
        place = events.schema.get_field_index(name)
        events = events.set_column(place, events.schema.field(place), column)
    return events


def read_ledger(run: Folder, columns: list[str] | None = None) -> pa.Table:
    """Return the whole ledger in the order of the source."""
    folder = run / FOLDER
    names = sorted((n for n in folder.names() if n.endswith(".parquet")), key=lambda n: (len(n), n))
    parts = [folder.read_parquet(name, columns) for name in names]
    schema = LEDGER if columns is None else pa.schema([LEDGER.field(c) for c in columns])
    return pa.concat_tables([schema.empty_table(), *parts])


def read_part(run: Folder, partition: int) -> pa.Table:
    """Return one partition's rows."""
    return (run / FOLDER).read_parquet(part_name(partition) + ".parquet")
