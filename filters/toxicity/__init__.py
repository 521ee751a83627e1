"""How abusive the texts of a sample are."""

from filters.toxicity.raters import LABELS
from filters.toxicity.stage import Toxicity

__all__ = ["LABELS", "Toxicity"]
