"""What a recipe may say about training on its shards. Presets and their settings are the trainer's to check."""

from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from curate.recipe.located import Located, Value

_SETTINGS = "settings"


def _spelled(value: object) -> object:
    """Spell a setting as `curate train --set` takes it."""
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ",".join(map(str, value))
    return str(value) if isinstance(value, str | int | float) else value


def _switched(value: object) -> object:
    """Take `true` for all defaults and `false` for nothing."""
    return ({} if value else None) if isinstance(value, bool) else value


class EvaluateSection(BaseModel):
    """How the model is measured: on what training held out, or on the run where nothing was."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    samples: int | None = Field(None, ge=1, description="the first so many; all if none is given")
    controls: bool = Field(default=True, description="show blank and exchanged pictures too")
    max_new_tokens: int = Field(40, ge=0, description="longest answer, in tokens")


class TrainSection(BaseModel):
    """The model that `curate build` trains on a recipe's shards."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    preset: str = Field(description="what `curate train` is given")
    settings: dict[str, Annotated[str, BeforeValidator(_spelled)]] = Field({}, description="changes of the preset's")
    out: str | None = Field(None, description="folder of the model; NAME-model if none is given")
    features: bool = Field(default=True, description="have frozen towers look once, and store what they say")
    evaluate: Annotated[EvaluateSection | None, BeforeValidator(_switched)] = EvaluateSection()

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Put `settings.NAME` into `settings`."""
        start = f"{_SETTINGS}."
        settings = {n.removeprefix(start): value for n, value in given.items() if n.startswith(start)}
        return {n: v for n, v in given.items() if not n.startswith(start)} | ({_SETTINGS: settings} if settings else {})


def located(reading: Located, entry: Value) -> dict[str, Value] | None:
    """Return the section's options, each setting as `settings.NAME`; None (and a fault) where it is no mapping.

    They stay in the tree, so that overrides of the command line go among them.
    """
    if isinstance(entry.value, yaml.Node):
        found = reading.mapping(entry.value, "'train'")
        settings = None if found is None else found.get(_SETTINGS)
        if found is not None and settings is not None and isinstance(settings.value, yaml.MappingNode):
            del found[_SETTINGS]
            own = reading.mapping(settings.value, "settings of 'train'") or {}
            found |= {f"{_SETTINGS}.{name}": value for name, value in own.items()}
        entry.value = found
    made: dict[str, Value] | None = entry.value
    return made
