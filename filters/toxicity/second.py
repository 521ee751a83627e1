"""A second opinion on texts that the first model is unsure of: another model's, or a language model's."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from curate.models import Model
from filters.toxicity.raters import labels_of, load_rater, weights_of
from filters.toxicity.teacher import Teacher

Opinions = tuple[npt.NDArray[np.float32], list[str | None]]
"""Scores float32[n], not-a-number where the judge is unsure too, and why a text got no answer at all."""


class Second(BaseModel):
    """Whom to ask, and about which texts."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    model: str = Field(description="a model spelled as `model` is, or the name that the endpoint knows its model by")
    between: tuple[float, float] = Field(
        (0.3, 0.9), description="samples are asked about whose highest label is from the one to the other"
    )
    endpoint: str | None = Field(
        None, pattern=r"^https?://", description="address of an OpenAI-compatible server, up to and with /v1"
    )
    prompt: Path | None = Field(None, description="file with the instructions to the language model; ours if not set")
    key_from: str | None = Field(
        None, description="environment variable that holds the endpoint's key, if it wants one"
    )
    timeout_s: float = Field(60, gt=0, description="for one answer")
    retries: int = Field(2, ge=0, description="further tries where the endpoint is busy or silent")
    at_once: int = Field(4, ge=1, description="questions that wait for an answer at the same time")

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        low, high = self.between
        if not 0 <= low <= high <= 1:
            raise ValueError("between: two probabilities, the lower one first")
        alone = {"prompt", "key_from", "timeout_s", "retries", "at_once"} & self.model_fields_set
        if self.endpoint is None and alone:
            raise ValueError(f"{', '.join(sorted(alone))}: for a language model; name its `endpoint` too")
        return self

    def models(self) -> tuple[Model, ...]:
        """Name the weights that are loaded here."""
        return () if self.endpoint else (weights_of(self.model),)

    def open(self) -> Callable[[Sequence[str]], Opinions]:
        """Load the model, or get ready to ask; return a function from texts to opinions.

        Raises:
            ModelError: weights, the prompt's file or the key's environment variable are not here.
        """
        if self.endpoint:
            return Teacher(
                self.endpoint, self.model, self.prompt, self.key_from, self.timeout_s, self.retries, self.at_once
            ).ask
        rate = load_rater(self.model, labels_of(self.model))
        return lambda texts: (np.nanmax(rate(texts), axis=1), [None] * len(texts))
