"""Carrying a plan out: partitions, commits, books, supervision, shards."""
