"""Sizes of the parts that architectures are put together from: frozen values that presets spell."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    """A value that is checked when made and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Vision(Frozen):
    """Sizes of a vision tower.

    `clip`: Radford et al. 2021, arXiv 2103.00020. `eva`: the ViT-g of EVA-CLIP, Fang et al. 2022, arXiv 2211.07636.
    `efficientnet_lite0`: Tan and Le 2019, arXiv 1905.11946, without squeeze-and-excitation; its sizes are fixed, a cell
    of 32 pixels gives one feature of width 1280, and it has weights that a package carries.
    """

    kind: Literal["clip", "eva", "efficientnet_lite0"]
    image_size: int = Field(ge=1, description="pixels, both sides")
    patch: int = Field(ge=1, description="pixels, both sides")
    width: int = Field(ge=1)
    layers: int = Field(ge=1, description="blocks that are built")
    heads: int = Field(ge=1)
    feedforward: int = Field(ge=1)

    @property
    def patches(self) -> int:
        """Features of one picture, without the class token."""
        return (self.image_size // self.patch) ** 2

    @model_validator(mode="after")
    def _divides(self) -> Self:
        require_division("width", self.width, "heads", self.heads)
        require_division("image_size", self.image_size, "patch", self.patch)
        return self


class QFormer(Frozen):
    """Sizes of a Q-Former (Li et al. 2023, arXiv 2301.12597, section 3.1), by default those of BERT-base."""

    queries: int = Field(32, ge=1)
    width: int = Field(768, ge=1)
    layers: int = Field(12, ge=1)
    heads: int = Field(12, ge=1)
    feedforward: int = Field(3072, ge=1)
    cross_every: int = Field(2, ge=1, description="layers 0, 2, 4, ... look at the picture")
    vocabulary: int = Field(30_523, ge=1, description="BERT's 30,522 and [DEC]")
    context: int = Field(512, ge=1, description="text positions")
    dropout: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _divides(self) -> Self:
        require_division("width", self.width, "heads", self.heads)
        return self


class Language(Frozen):
    """Sizes of a language model.

    `llama`: Touvron et al. 2023, arXiv 2302.13971. `opt`: Zhang et al. 2022, arXiv 2205.01068.
    `t5`: Flan-T5, Chung et al. 2022, arXiv 2210.11416, with gated GELU and an output matrix of its own; `layers` counts
    the encoder's and as many again in the decoder.
    """

    kind: Literal["llama", "opt", "t5"]
    vocabulary: int = Field(ge=260, description="tokens, at most: a tokenizer may have fewer")
    width: int = Field(ge=1)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    feedforward: int = Field(ge=1)
    context: int = Field(ge=1, description="places in the longest sequence, pictures included")
    dropout: float = Field(0.0, ge=0, lt=1)
    epsilon: float = Field(1e-6, gt=0, description="of Llama's norms: 1e-6 of the first, 1e-5 of Llama 2, Vicuna 1.5")

    @model_validator(mode="after")
    def _divides(self) -> Self:
        require_division("width", self.width, "heads", self.heads)
        return self


class Lora(Frozen):
    """Low-rank adapters (Hu et al. 2021, arXiv 2106.09685) on the language model's matrices; none at rank 0."""

    rank: int = Field(0, ge=0)
    alpha: float = Field(256.0, gt=0)
    dropout: float = Field(0.05, ge=0, lt=1)
    learning_rate: float = Field(2e-4, gt=0)


def require_division(name: str, number: int, by: str, divisor: int) -> None:
    """Refuse sizes that do not divide.

    Raises:
        ValueError: `number` is not a multiple of `divisor`.
    """
    if number % divisor:
        raise ValueError(f"{name} {number} is not a multiple of {by} {divisor}")


def _split(value: object) -> object:
    return tuple(value.split(",")) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""A list of names, which `--set` may spell with commas."""
