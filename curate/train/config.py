"""What every training run is told, whatever it trains. An architecture adds its sizes (see `architectures/`)."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from curate.train.sizes import Frozen, Language, Names

_MIB = 1 << 20
Fit = Literal["pad", "squeeze", "crop", "random_crop"]


class Training(Frozen):
    """Everything that decides the result of a training run, data and number of processes aside."""

    PARTS: ClassVar[tuple[str, ...]] = ()
    """Names of the modules that can be trained or frozen."""

    LIMITS: ClassVar[tuple[str, ...]] = ("max_broken_shards", "max_failed_fraction")
    """Settings that decide when training stops and nothing else, so that it may go on with others."""

    preset: str
    architecture: str
    trainable: Names = Field(min_length=1, description="parts that learn; the others are frozen")
    pretrained: bool = Field(default=False, description="whether parts must start from weights")
    start_from: str = Field("", description="checkpoints or imported weights, with commas: same names are taken")

    seed: int = 0
    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1, description="samples a step, over all processes")
    micro_batch: int = Field(0, ge=0, description="samples that pass the model at once on a process; 0: all of its own")
    learning_rate: float = Field(gt=0, description="the highest")
    least_learning_rate: float = Field(0.0, ge=0, description="where the schedule ends")
    first_learning_rate: float = Field(0.0, ge=0, description="where the warm-up begins")
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_steps: int = Field(ge=0)
    beta1: float = Field(0.9, ge=0, lt=1, description="of AdamW: how long it remembers gradients")
    beta2: float = Field(gt=0, lt=1, description="of AdamW: how long it remembers squared gradients")
    weight_decay: float = Field(ge=0)
    clip_norm: float = Field(1.0, gt=0, description="largest L2 norm of a step's gradient; inf for none")

    precision: Literal["float32", "bfloat16"] = Field("float32", description="of activations and frozen weights")
    checkpoint_activations: bool = Field(default=False, description="compute activations twice instead of keeping them")
    pictures: Fit = Field("pad", description="how a picture is made square")
    least_crop: float = Field(0.5, gt=0, le=1, description="share of the area that random_crop keeps, at least")

    blank_pictures: bool = Field(default=False, description="show the mean colour for every picture: the control")
    held_out: int = Field(0, ge=0, description="samples never trained on, evaluated at the end")
    eval_samples: int = Field(256, ge=1, description="trained samples evaluated at the end, at most")
    checkpoint_every: int = Field(ge=1, description="steps")
    # On two idle cores llava-tiny makes 300 samples/s with two threads and 170 with one; where another process
    # has one of the cores, two threads wait for each other and make 15.
    threads: int = Field(1, ge=1, description="of torch; another number gives other last bits")
    cache_bytes: int = Field(256 * _MIB, ge=0, description="decoded pictures kept in memory, at most")
    max_pixels: int = Field(50_000_000, ge=1, description="larger pictures are not decoded")
    max_failed_fraction: float = Field(0.01, ge=0, le=1, description="share of drawn samples that may be unusable")
    max_broken_shards: int = Field(0, ge=0, description="damaged shards whose samples may be left out")

    @property
    def starts(self) -> tuple[str, ...]:
        """Folders that `start_from` names; a later one's tensors go over an earlier one's."""
        return tuple(filter(None, self.start_from.split(",")))

    @property
    def together(self) -> int:
        """How many neighbours of the training order, counted from its beginning, must stay in one micro-batch."""
        return 1

    @model_validator(mode="after")
    def _parts_exist(self) -> Self:
        unknown = [name for name in self.trainable if name not in self.PARTS]
        if unknown:
            raise ValueError(f"trainable: no part named {unknown[0]!r}; there are {', '.join(self.PARTS)}")
        return self


class PromptedTraining(Training):
    """What is told besides to those that put pictures between the words of a language model."""

    language: Language
    pack: bool = Field(default=False, description="lay short sequences side by side in rows of up to language.context")

    @model_validator(mode="after")
    def _packs_a_decoder(self) -> Self:
        if self.pack and self.language.kind == "t5":
            raise ValueError("pack: an encoder-decoder's sequences cannot be packed; leave it out")
        return self
