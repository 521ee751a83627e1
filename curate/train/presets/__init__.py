"""Presets are data: one TOML file for each paper, one table for each preset. `like` starts from another preset."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from curate.errors import TrainError, nearest
from curate.train.architectures import KINDS
from curate.train.config import Training
from curate.train.sizes import Frozen

Values = dict[str, Any]
FIXED = ("preset", "architecture")
"""What `--set` cannot change."""


@cache
def presets() -> dict[str, Training]:
    """Return every preset by name, in the order of the files."""
    written: dict[str, Values] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        written |= tomllib.loads(path.read_text("utf-8"))
    return {name: _validated({**_whole(written, name), "preset": name}) for name in written}


def described(config: Frozen, prefix: str = "") -> list[tuple[str, str, str]]:
    """Return (key, value, what it means) of every setting, as `--set` spells them."""
    rows: list[tuple[str, str, str]] = []
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Frozen):
            rows += described(value, f"{prefix}{name}.")
        elif name not in FIXED:
            spelled = ",".join(value) if isinstance(value, tuple) else str(value)
            rows.append((f"{prefix}{name}", spelled, field.description or ""))
    return rows


def configure(preset: str, overrides: Mapping[str, str]) -> Training:
    """Return a preset with overrides in place; a key may be dotted (`vision.layers`).

    Raises:
        TrainError: the preset or a key is unknown, or a value is wrong; all faults at once.
    """
    if preset not in presets():
        raise TrainError(f"no preset named '{preset}'.{_nearest(preset, list(presets()))}")
    values = presets()[preset].model_dump()
    faults = [fault for key, text in overrides.items() if (fault := _place(values, key, text))]
    if faults:
        raise TrainError("\n".join(faults))
    try:
        return _validated(values)
    except ValidationError as error:
        raise TrainError("\n".join(_spell(e) for e in error.errors())) from None


def settings(values: Values) -> Training:
    """Return the settings that a checkpoint holds.

    Raises:
        ValidationError: they are of another version of this program.
        KeyError: they name no architecture.
    """
    return _validated(values)


def _validated(values: Values) -> Training:
    return KINDS[values["architecture"]].settings.model_validate(values)


def _whole(written: Mapping[str, Values], name: str) -> Values:
    """Lay a table over the one that it is like, to any depth."""
    own = dict(written[name])
    like = own.pop("like", None)
    return own if like is None else _laid(_whole(written, like), own)


def _laid(below: Values, above: Values) -> Values:
    merged = dict(below)
    for name, value in above.items():
        under = below.get(name)
        merged[name] = _laid(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _place(values: Values, key: str, text: str) -> str:
    """Put one override in place; return what is wrong with its key, or nothing."""
    inner, (*path, last) = values, key.split(".")
    for name in path:
        found = inner.get(name)
        inner = found if isinstance(found, dict) else {}
    if last not in inner or key in FIXED or isinstance(inner[last], dict):
        return f"no training option named '{key}'.{_nearest(key, _names(values))}"
    inner[last] = text
    return ""


def _names(values: Values) -> list[str]:
    inner = [f"{n}.{m}" for n, v in values.items() if isinstance(v, dict) for m in v]
    return inner + [n for n, v in values.items() if not isinstance(v, dict) and n not in FIXED]


def _nearest(name: str, names: list[str]) -> str:
    return nearest(name, names) or f" There are: {', '.join(sorted(names))}"


def _spell(error: Any) -> str:
    where, said = ".".join(map(str, error["loc"])), str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {said}, got {error['input']!r}" if where else said
