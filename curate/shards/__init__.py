"""Shards of a dataset version: tar files that webdataset reads, an index beside each, and one manifest over all.

Only what the manifest names, with the sha256 it names, belongs to the dataset.
"""

from curate.shards.check import check_shards
from curate.shards.features import Features, stored_features
from curate.shards.manifest import Manifest, ShardEntry
from curate.shards.reader import ShardReader, shard_keys
from curate.shards.rewriting import rewritten_name, write_without
from curate.shards.tombstones import erased_keys, read_tombstones, reason_where_erased, write_tombstones
from curate.shards.versions import PastVersion, check_versions, keep_current, keep_version, past_versions
from curate.shards.writer import write_shard

__all__ = [
    "Features",
    "Manifest",
    "PastVersion",
    "ShardEntry",
    "ShardReader",
    "check_shards",
    "check_versions",
    "erased_keys",
    "keep_current",
    "keep_version",
    "past_versions",
    "read_tombstones",
    "reason_where_erased",
    "rewritten_name",
    "shard_keys",
    "stored_features",
    "write_shard",
    "write_tombstones",
    "write_without",
]
