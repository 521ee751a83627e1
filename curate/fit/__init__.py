"""Small models that a user fits on two sets of their own, for filters to read."""

from curate.fit.documents import Side
from curate.fit.quality import Fitted, Recipe, fit_quality

__all__ = ["Fitted", "Recipe", "Side", "fit_quality"]
