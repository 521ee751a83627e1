"""Finding rows of the corpus that say the same thing, and keeping one of each."""

from curate.dedupe.exact import ExactDuplicates
from curate.dedupe.image_near_duplicates import ImageNearDuplicates
from curate.dedupe.near_duplicates import NearDuplicates
from curate.dedupe.semantic_duplicates import SemanticDuplicates

__all__ = ["ExactDuplicates", "ImageNearDuplicates", "NearDuplicates", "SemanticDuplicates"]
