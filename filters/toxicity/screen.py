"""A cascade: a cheap model looks first, and the main one sees only what that is not sure to be harmless."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from filters.toxicity.raters import Rater
from filters.toxicity.texts import Scores


class Screen(BaseModel):
    """The model that looks first."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    model: str = Field("tox-block", description="a cheaper model, spelled as `model` is")
    below: float = Field(
        0.005, gt=0, le=1, description="a text is done with when the highest label of this model is below"
    )


def screened(screen: Rater, below: float, rate: Rater, texts: Sequence[str]) -> tuple[Scores, npt.NDArray[np.bool_]]:
    """Return float32[n, labels], and bool[n]: who was passed on to `rate`; the others keep what the screen said."""
    scores = screen(texts)
    passed_on = np.nanmax(scores, axis=1) >= below
    if passed_on.any():
        scores[passed_on] = rate([text for text, on in zip(texts, passed_on, strict=True) if on])
    return scores, passed_on
