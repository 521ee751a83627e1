"""The filter: what it measures, and what its thresholds make of that."""

import hashlib
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationInfo, field_validator

from curate.models import Model
from curate.stage import Filter, Scorer, threshold
from filters.toxicity import tox_block
from filters.toxicity.packed import Precision
from filters.toxicity.raters import Label, labels_of, weights_of
from filters.toxicity.rating import open_scorer
from filters.toxicity.screen import Screen
from filters.toxicity.second import Second
from filters.toxicity.teacher import read_prompt

JUDGE = pa.field("toxicity_judge", pa.string())  # screen or model; null where there is no text
SECOND = pa.field("toxicity_second", pa.float32())  # 0..1; null where not asked, and where unsure too


class Toxicity(Filter):
    """Drop samples one of whose texts scores above `at_most` on the highest of its labels.

    The labels are independent probabilities: a text may be a threat and no insult. A sample scores as the highest of
    its texts, label by label; one without text scores 0. From `uncertain_from` up to `at_most` a sample is uncertain:
    it is kept with that label, dropped, or judged by a second model. Source: Detoxify, Hanu and Unitary (2020),
    github.com/unitaryai/detoxify, with its label names. `tox-block` names the small BiLSTM of the package tox-block,
    which was trained on the comments and labels of Detoxify's `original` and is weaker.
    """

    name: ClassVar[str] = "toxicity"
    version: ClassVar[int] = 2
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = tuple(pa.field(label, pa.float32()) for label in labels_of("unbiased"))
    labels: ClassVar[tuple[pa.Field, ...]] = (pa.field("toxicity_label", pa.string()),)

    model: str = Field(
        "unbiased", description="original, unbiased, multilingual, a folder with a Detoxify model, or tox-block"
    )
    columns: tuple[Literal["caption", "text", "transcript", "conversations"], ...] = Field(
        ("caption",), min_length=1, description="columns that are judged; a sample scores as the worst of its texts"
    )
    kinds: tuple[Label, ...] | None = Field(
        None, min_length=1, description="labels to measure; if not set, all that a named model tells, six of a folder"
    )
    long_texts: Literal["whole", "cut"] = Field(
        "whole", description="what is longer than the model's window: read in windows, or cut as the model's authors do"
    )
    precision: Precision = Field("float32", description="of Detoxify's arithmetic; the lower ones change scores")
    screen: Screen | None = Field(None, description="a cheap model that looks first: {model: tox-block, below: 0.005}")
    at_most: float | None = threshold(0.5, "probability of the most probable label", ge=0, le=1)
    uncertain_from: float | None = threshold(
        None, "from here up to `at_most` a sample is `uncertain`; none is if not set", ge=0, le=1
    )
    uncertain: Literal["keep", "drop"] = threshold("keep", "what becomes of those that stay uncertain")
    second: Second | None = Field(
        None, description="who judges the uncertain: {model: original, between: [0.3, 0.9]}, or an endpoint's model"
    )
    second_at_most: float = threshold(0.5, "the second judge's score above which an uncertain sample goes", ge=0, le=1)

    @field_validator("kinds")
    @classmethod
    def _each_kind_once(cls, kinds: tuple[Label, ...] | None, info: ValidationInfo) -> tuple[Label, ...] | None:
        if kinds and len(set(kinds)) < len(kinds):
            raise ValueError("a label stands twice")
        untold = set(kinds or ()) - set(labels_of("unbiased" if _is_folder(info) else info.data.get("model", "")))
        if untold:
            raise ValueError(f"{info.data['model']} does not tell {', '.join(sorted(untold))}")
        return kinds

    @field_validator("precision")
    @classmethod
    def _precision_fits(cls, precision: Precision, info: ValidationInfo) -> Precision:
        if precision != "float32" and info.data.get("model") == tox_block.NAME:
            raise ValueError("tox-block has float32 alone")
        return precision

    @field_validator("screen")
    @classmethod
    def _screen_is_another_model(cls, screen: Screen | None, info: ValidationInfo) -> Screen | None:
        if screen and screen.model == info.data.get("model"):
            raise ValueError("the screen is the same model as `model`; name a cheaper one")
        return screen

    @field_validator("uncertain_from")
    @classmethod
    def _thresholds_in_order(cls, lowest: float | None, info: ValidationInfo) -> float | None:
        at_most = info.data.get("at_most")
        if lowest is not None and "at_most" in info.data and (at_most is None or lowest > at_most):
            raise ValueError(f"the uncertain lie from here up to at_most, which is {_spell(at_most)}: lower this one")
        return lowest

    @field_validator("second")
    @classmethod
    def _second_covers_the_uncertain(cls, second: Second | None, info: ValidationInfo) -> Second | None:
        at_most, lowest = info.data.get("at_most"), info.data.get("uncertain_from")
        if second is None or not {"at_most", "uncertain_from"} <= info.data.keys():
            return second
        if lowest is None or at_most is None:
            raise ValueError("set uncertain_from: the second judge decides on the uncertain alone")
        if not second.between[0] <= lowest <= at_most <= second.between[1]:
            raise ValueError(
                f"it is asked about {second.between[0]:g} to {second.between[1]:g}, but the uncertain lie from "
                f"{lowest:g} to {at_most:g}: widen `between`"
            )
        if second.model == info.data.get("model") and second.endpoint is None:
            raise ValueError("the second judge is the same model as `model`; name another")
        return second

    def tells(self) -> tuple[Label, ...]:
        """Return the labels that are measured, `toxicity` first where it is among them."""
        return self.kinds or labels_of(self.model)

    def inputs(self) -> tuple[str, ...]:
        """Name the columns that are judged."""
        return self.columns

    def outputs(self) -> tuple[pa.Field, ...]:
        """Return a column for each label, and what a screen and a second judge say."""
        scores = tuple(pa.field(label, pa.float32()) for label in self.tells())
        return scores + (JUDGE,) * bool(self.screen) + (SECOND,) * bool(self.second)

    def models(self) -> tuple[Model, ...]:
        """Name the weights of the model, of the screen and of a second judge that runs here."""
        others = (weights_of(self.screen.model),) if self.screen else ()
        return (weights_of(self.model), *others, *(self.second.models() if self.second else ()))

    def measuring(self) -> dict[str, Any]:
        """Leave out how long and how often an endpoint is asked: that changes no answer."""
        settings = super().measuring()
        if settings["second"]:
            for name in ("key_from", "timeout_s", "retries", "at_once"):
                del settings["second"][name]
        return settings

    def identity(self) -> str:
        """Hash the judge's instructions with the rest."""
        if self.second is None or self.second.endpoint is None:
            return super().identity()
        return hashlib.sha256(f"{super().identity()} {read_prompt(self.second.prompt)}".encode()).hexdigest()

    def open(self) -> Scorer:
        """Load the models; return a function from the texts of samples to their scores, distinct texts once."""
        return open_scorer(self)

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return `above_at_most` by the first model, `second_judge` by the second, `uncertain` where neither can tell.

        The latter only where the recipe has the uncertain dropped.
        """
        reason = super().decide(pa.table({"highest": self._highest(scores)}))
        uncertain, refused = self._doubts(scores)
        reason = pc.if_else(refused, "second_judge", reason)
        return pc.if_else(uncertain, "uncertain", reason) if self.uncertain == "drop" else reason

    def label(self, scores: pa.Table) -> list[pa.Array]:
        """Return `uncertain` where neither threshold nor second judge tells."""
        return [pc.if_else(self._doubts(scores)[0], "uncertain", pa.scalar(None, pa.string()))]

    def _highest(self, scores: pa.Table) -> pa.Array:
        return pc.max_element_wise(*(scores[label].combine_chunks() for label in self.tells()))

    def _doubts(self, scores: pa.Table) -> tuple[pa.Array, pa.Array]:
        """Return bool[n], bool[n] without nulls: what stays uncertain, and what the second judge finds toxic."""
        if self.uncertain_from is None:
            nothing = pa.array([False] * scores.num_rows, pa.bool_())
            return nothing, nothing
        highest = self._highest(scores)
        between = pc.and_(pc.greater_equal(highest, self.uncertain_from), pc.less_equal(highest, self.at_most))
        between = pc.fill_null(between, fill_value=False)
        opinion = scores[SECOND.name].combine_chunks() if self.second else pa.nulls(len(between), pa.float32())
        refused = pc.fill_null(pc.greater(opinion, self.second_at_most), fill_value=False)
        return pc.and_(between, opinion.is_null()), pc.and_(between, refused)


def _is_folder(info: ValidationInfo) -> bool:
    return info.data.get("model") not in {"original", "unbiased", "multilingual", tox_block.NAME}


def _spell(bound: float | None) -> str:
    return "null" if bound is None else f"{bound:g}"
