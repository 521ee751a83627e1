"""A shard written anew without some of its samples; what is left keeps its bytes and its order."""

import re
from collections.abc import Iterator, Sequence

from curate.shards.manifest import ShardEntry
from curate.shards.shard import OpenShard, open_shard
from curate.shards.writer import Sample, write_shard
from curate.storage import Folder

_REWRITTEN = re.compile(r"(?P<stem>.+?)(-r(?P<times>\d+))?\.tar")


def rewritten_name(name: str) -> str:
    """Return what a shard is called when it has been written anew: `00003.tar`, `00003-r1.tar`, `00003-r2.tar`."""
    found = _REWRITTEN.fullmatch(name)
    if found is None:
        raise ValueError(name)
    return f"{found['stem']}-r{int(found['times'] or 0) + 1}.tar"


def write_without(run: Folder, entry: ShardEntry, rows: Sequence[int]) -> ShardEntry | None:
    """Write the samples of a shard at the given rows, which are those that stay, under its next name.

    Returns:
        The new shard's entry; None, and nothing written, where no row is left.

    Raises:
        IntegrityError: the shard is not what the manifest says.
        StorageError: it cannot be read, or the new one not be written.
    """
    if not rows:
        return None
    folder = run / "shards"
    return write_shard(folder, rewritten_name(entry.name), _samples(open_shard(folder, (entry,), 0), rows))


def _samples(shard: OpenShard, rows: Sequence[int]) -> Iterator[Sample]:
    for row in rows:
        yield str(shard.index.keys[row]), list(shard.read(row).items())
