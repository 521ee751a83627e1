"""How likely a picture is pornographic."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationInfo, field_validator

from curate.decode import decode
from curate.models import Model
from curate.stage import Filter, Scorer, threshold
from filters.nsfw import classifier, open_nsfw

PICTURES = 4  # decoded at one time


class Nsfw(Filter):
    """Drop pictures that score above `at_most`, and label those from `uncertain_from` up to it as `uncertain`.

    The score is a probability, of the network that `open-nsfw` names or of any picture classifier of transformers. A
    picture that cannot be decoded has no score and fails; a sample without one scores 0. The default thresholds are
    those that Yahoo gives for open_nsfw: below 0.2 likely safe, above 0.8 highly probable not to be; take your own for
    another model.
    """

    name: ClassVar[str] = "nsfw"
    reads: ClassVar[tuple[str, ...]] = ("image",)
    writes: ClassVar[tuple[pa.Field, ...]] = (pa.field("nsfw", pa.float32()),)  # probability, 0..1
    labels: ClassVar[tuple[pa.Field, ...]] = (pa.field("nsfw_label", pa.string()),)

    model: str = Field(
        open_nsfw.NAME, description="open-nsfw, or hub id or folder of a picture classifier of transformers"
    )
    unsafe: tuple[str, ...] = Field(
        ("nsfw",), min_length=1, description="the classifier's classes that count; their probabilities are added"
    )
    at_most: float | None = threshold(0.8, "probability", ge=0, le=1)
    uncertain_from: float | None = threshold(
        0.2, "from here up to `at_most` a picture is `uncertain`; none is if not set", ge=0, le=1
    )
    uncertain: Literal["keep", "drop"] = threshold("keep", "what becomes of the uncertain")

    @field_validator("unsafe")
    @classmethod
    def _open_nsfw_has_one_class(cls, unsafe: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("model") == open_nsfw.NAME and unsafe != ("nsfw",):
            raise ValueError(f"{open_nsfw.NAME} tells nsfw alone")
        return unsafe

    @field_validator("uncertain_from")
    @classmethod
    def _thresholds_in_order(cls, lowest: float | None, info: ValidationInfo) -> float | None:
        at_most = info.data.get("at_most")
        if lowest is not None and "at_most" in info.data and (at_most is None or lowest > at_most):
            spelled = "null" if at_most is None else f"{at_most:g}"
            raise ValueError(f"the uncertain lie from here up to at_most, which is {spelled}: lower this one, or null")
        return lowest

    def models(self) -> tuple[Model, ...]:
        """Name the network that a package carries, or the checkpoint."""
        return (open_nsfw.MODEL if self.model == open_nsfw.NAME else classifier.model(self.model, open_nsfw.NAME),)

    def open(self) -> Scorer:
        """Load the model; return a function from pictures to probabilities."""
        path = self.models()[0].locate()
        threads = max(1, int(self.resources.cpus))
        rate = open_nsfw.load(path, threads) if self.model == open_nsfw.NAME else classifier.load(path, self.unsafe)

        def score(table: pa.Table) -> list[pa.Array]:
            images = table["image"]
            scores: list[float | None] = []
            for start in range(0, len(images), PICTURES):
                scores += _score(rate, images.slice(start, PICTURES))
            return [pa.array(scores, pa.float32())]

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return `above_at_most`, and `uncertain` where the recipe has those dropped."""
        reason = super().decide(scores)
        return pc.if_else(self._is_uncertain(scores), "uncertain", reason) if self.uncertain == "drop" else reason

    def label(self, scores: pa.Table) -> list[pa.Array]:
        """Return `uncertain` between the two thresholds."""
        return [pc.if_else(self._is_uncertain(scores), "uncertain", pa.scalar(None, pa.string()))]

    def _is_uncertain(self, scores: pa.Table) -> pa.Array:
        score = scores["nsfw"].combine_chunks()
        if self.uncertain_from is None:
            return pa.array([False] * len(score), pa.bool_())
        between = pc.and_(pc.greater_equal(score, self.uncertain_from), pc.less_equal(score, self.at_most))
        return pc.fill_null(between, fill_value=False)


def _score(rate: open_nsfw.Rate, images: pa.ChunkedArray) -> Sequence[float | None]:
    """Return the probability of each picture: 0 where a sample has none, None where it cannot be decoded."""
    given = images.to_pylist()
    decoded = [None if data is None else decode(data) for data in given]
    pictures = [picture for picture in decoded if picture is not None]
    rated: Iterator[float] = iter(rate(pictures) if pictures else [])
    scores = [None if picture is None else float(next(rated)) for picture in decoded]
    return [0.0 if data is None else score for data, score in zip(given, scores, strict=True)]
