"""Shards of a dataset version: tar files that webdataset reads, an index beside each, and one manifest over all.

Only what the manifest names, with the sha256 it names, belongs to the dataset.
"""

from curate.shards.check import check_shards
from curate.shards.features import Features, stored_features
from curate.shards.manifest import Manifest, ShardEntry
from curate.shards.reader import ShardReader, shard_keys
from curate.shards.writer import write_shard

__all__ = [
    "Features",
    "Manifest",
    "ShardEntry",
    "ShardReader",
    "check_shards",
    "shard_keys",
    "stored_features",
    "write_shard",
]
