"""The judgements and edits that come with Curate, one file each. Importing this registers what it holds."""

from filters.short_side import ShortSide

STAGES = (ShortSide,)
__all__ = ["STAGES"]
