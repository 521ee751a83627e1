"""What a training run is told: sizes of the architecture, and how it is trained. Presets are data."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from curate.errors import TrainError, nearest

Part = Literal["vision", "projector", "language"]
_MIB = 1 << 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Vision(_Frozen):
    """Sizes of a CLIP vision tower (Radford et al. 2021, arXiv 2103.00020)."""

    image_size: int = Field(ge=1, description="pixels, both sides")
    patch: int = Field(ge=1, description="pixels, both sides")
    width: int = Field(ge=1)
    layers: int = Field(ge=2, description="blocks, of which the last is built and not used, as in LLaVA")
    heads: int = Field(ge=1)
    feedforward: int = Field(ge=1)

    @property
    def patches(self) -> int:
        """Places that a picture takes in a sequence."""
        return (self.image_size // self.patch) ** 2

    @model_validator(mode="after")
    def _divides(self) -> Self:
        _require_division("width", self.width, "heads", self.heads)
        _require_division("image_size", self.image_size, "patch", self.patch)
        return self


class Language(_Frozen):
    """Sizes of a Llama decoder (Touvron et al. 2023, arXiv 2302.13971)."""

    vocabulary: int = Field(ge=260, description="tokens, at most: a tokenizer may have fewer")
    width: int = Field(ge=1)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    feedforward: int = Field(ge=1)
    context: int = Field(ge=1, description="places in the longest sequence, pictures included")

    @model_validator(mode="after")
    def _divides(self) -> Self:
        _require_division("width", self.width, "heads", self.heads)
        return self


def _require_division(name: str, number: int, by: str, divisor: int) -> None:
    if number % divisor:
        raise ValueError(f"{name} {number} is not a multiple of {by} {divisor}")


def _split(value: Any) -> Any:
    return tuple(value.split(",")) if isinstance(value, str) else value


class Config(_Frozen):
    """Everything that decides the result of a training run, data aside."""

    preset: str
    vision: Vision
    language: Language
    projector: Literal["linear", "mlp2x_gelu"]
    trainable: Annotated[tuple[Part, ...], BeforeValidator(_split)] = Field(min_length=1)
    pretrained: bool = Field(description="whether the towers start from weights")
    vision_from: str = Field("", description="folder of CLIP vision weights")
    language_from: str = Field("", description="folder of Llama weights with their tokenizer.json")
    seed: int = 0
    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    warmup_steps: int = Field(ge=0)
    beta2: float = Field(gt=0, lt=1, description="of AdamW: how long it remembers squared gradients")
    weight_decay: float = Field(ge=0)
    clip_norm: float = Field(1.0, gt=0, description="largest L2 norm of a step's gradient")
    blank_pictures: bool = Field(default=False, description="show the mean colour for every picture: the control")
    held_out: int = Field(0, ge=0, description="samples never trained on, evaluated at the end")
    eval_samples: int = Field(256, ge=1, description="trained samples evaluated at the end, at most")
    checkpoint_every: int = Field(ge=1, description="steps")
    # On two idle cores the tiny preset makes 300 samples/s with two threads and 170 with one; where another process
    # has one of the cores, two threads wait for each other and make 15.
    threads: int = Field(1, ge=1, description="of torch; another number gives other last bits")
    cache_bytes: int = Field(256 * _MIB, ge=0, description="decoded pictures kept in memory, at most")
    max_pixels: int = Field(50_000_000, ge=1, description="larger pictures are not decoded")
    max_failed_fraction: float = Field(0.01, ge=0, le=1, description="share of drawn samples that may be unusable")


PRESETS = {
    "llava-tiny": Config(
        preset="llava-tiny",
        vision=Vision(image_size=64, patch=16, width=128, layers=4, heads=4, feedforward=512),
        language=Language(vocabulary=2048, width=128, layers=2, heads=4, feedforward=352, context=512),
        projector="mlp2x_gelu",
        trainable=("vision", "projector", "language"),
        pretrained=False,
        steps=850,  # 39 epochs of 700 samples, 165 CPU seconds
        batch_size=32,
        learning_rate=1.4e-3,  # losses at the end by rate: 1e-3 0.056, 1.4e-3 0.022, 2e-3 0.069
        warmup_steps=40,
        beta2=0.95,  # with 0.999, more parameters and 700 steps: 0.21
        weight_decay=0.0,
        checkpoint_every=100,
    ),
    # Liu et al. 2023, arXiv 2310.03744, stage 2. Stage 1: trainable=projector, learning_rate=1e-3, batch_size=256.
    "llava-1.5-7b": Config(
        preset="llava-1.5-7b",
        vision=Vision(image_size=336, patch=14, width=1024, layers=24, heads=16, feedforward=4096),
        language=Language(vocabulary=32000, width=4096, layers=32, heads=32, feedforward=11008, context=2048),
        projector="mlp2x_gelu",
        trainable=("projector", "language"),
        pretrained=True,
        steps=5197,  # 665k samples once
        batch_size=128,
        learning_rate=2e-5,
        warmup_steps=156,  # 3 %
        beta2=0.999,
        weight_decay=0.0,
        checkpoint_every=500,
    ),
}


def configure(preset: str, overrides: Mapping[str, str]) -> Config:
    """Return a preset with overrides in place; a key may be dotted (`vision.layers`).

    Raises:
        TrainError: the preset or a key is unknown, or a value is wrong; all faults at once.
    """
    if preset not in PRESETS:
        raise TrainError(f"no preset named '{preset}'.{_nearest(preset, list(PRESETS))}")
    values = PRESETS[preset].model_dump()
    faults = [fault for key, text in overrides.items() if (fault := _place(values, key, text))]
    if faults:
        raise TrainError("\n".join(faults))
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise TrainError("\n".join(_spell(e) for e in error.errors())) from None


def _place(values: dict[str, Any], key: str, text: str) -> str:
    """Put one override in place; return what is wrong with its key, or nothing."""
    *path, last = key.split(".")
    for name in path:
        inner = values.get(name)
        if not isinstance(inner, dict):
            return f"no training option named '{key}'.{_nearest(key, _names(PRESETS['llava-tiny'].model_dump()))}"
        values = inner
    if last not in values or last == "preset" or isinstance(values[last], dict):
        return f"no training option named '{key}'.{_nearest(key, _names(PRESETS['llava-tiny'].model_dump()))}"
    values[last] = text
    return ""


def _names(values: dict[str, Any]) -> list[str]:
    inner = [f"{n}.{m}" for n, v in values.items() if isinstance(v, dict) for m in v]
    return inner + [n for n, v in values.items() if not isinstance(v, dict)]


def _nearest(name: str, names: list[str]) -> str:
    return nearest(name, names) or f" There are: {', '.join(sorted(names))}"


def _spell(error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    return f"{where}: {error['msg']}, got {error['input']!r}"
