"""Where samples stand in the published shards."""

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from curate.shards import Manifest
from curate.shards.shard import open_index
from curate.storage import Folder


@dataclass(frozen=True)
class Place:
    """A shard and a row of it."""

    number: int
    """Of the shard, in the manifest's order."""
    shard: str
    row: int


def places(run: Folder, keys: Collection[str]) -> dict[str, Place]:
    """Return where each key stands, erased or not, by one pass over the indexes; keys in no shard are left out."""
    if not keys or not run.exists("manifest.json"):
        return {}
    wanted, found = pa.array(list(keys), pa.string()), dict[str, Place]()
    for number, entry in enumerate(Manifest.load(run).shards):
        stored = open_index(run / "shards", entry).keys
        hit = pc.is_in(stored, value_set=wanted)
        for row in pc.indices_nonzero(hit).to_pylist():
            found[str(stored[row])] = Place(number, entry.name, row)
    return found
