"""Finding rows of the corpus that say the same thing, and keeping one of each."""

from curate.dedupe.exact import ExactDuplicates

__all__ = ["ExactDuplicates"]
