"""YAML to a Recipe: every fault at once, each with file, line and the nearest valid name."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from curate.errors import RecipeError, nearest
from curate.recipe.located import Located, Value, compose_value
from curate.recipe.training import TrainSection, located
from curate.reduce import Reduce
from curate.registry import stages
from curate.sample import column
from curate.stage import Filter, Sink, Source, Stage

_TOP = ("name", "source", "stages", "sink", "train", "max_failed_fraction", "reduce_memory_mb")


class RunSettings(BaseModel):
    """Settings of a recipe that belong to no stage."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    max_failed_fraction: float = Field(0.01, ge=0, le=1)
    reduce_memory_mb: float = Field(512.0, gt=0)
    """Megabytes (2^20 bytes) of records that a worker holds while the corpus is judged together."""


@dataclass(frozen=True)
class Recipe:
    """What to do, fully spelled out."""

    settings: RunSettings
    source: Source
    stages: tuple[Stage, ...]
    sink: Sink
    train: TrainSection | None = None
    """What `curate build` goes on with."""
    train_at: str = dataclasses.field(default="", compare=False)
    """Where that was written, `path:line`."""

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.settings.name

    def to_yaml(self) -> str:
        """Return the recipe with every default written out; loading it gives an equal Recipe."""
        spelled = {
            "name": self.name,
            "max_failed_fraction": self.settings.max_failed_fraction,
            "reduce_memory_mb": self.settings.reduce_memory_mb,
            "source": _step(self.source),
            "stages": [_step(s) for s in self.stages],
            "sink": _step(self.sink),
        }
        if self.train is not None:
            spelled["train"] = self.train.model_dump(mode="json")
        return yaml.safe_dump(spelled, sort_keys=False, allow_unicode=True)


def _step(stage: Stage) -> dict[str, Any]:
    return {stage.name: stage.model_dump(mode="json")}


def load_recipe(path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file and apply `stage.option=value` overrides.

    Raises:
        RecipeError: with every fault found, one line each.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise RecipeError([f"{path}: {error.strerror}. Give the path of a recipe file"]) from error
    return parse_recipe(text, path, overrides)


def parse_recipe(text: bytes, path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Build a Recipe from YAML; see `load_recipe`."""
    reading = _Reading(path)
    tree = reading.compose(text)
    if tree is None:
        raise RecipeError(reading.faults)
    reading.override(tree, overrides)
    recipe = reading.recipe(tree)
    if recipe is None or reading.faults:
        raise RecipeError(reading.faults)
    return recipe


class _Reading(Located):
    """One pass over a recipe, collecting faults instead of stopping at the first."""

    def override(self, tree: dict[str, Value], overrides: Sequence[str]) -> None:
        """Write `stage.option=value` into the tree."""
        for text in overrides:
            where = f"--set {text}"
            target, equals, value = text.partition("=")
            stage, _, option = target.rpartition(".")
            node = compose_value(value)
            if not equals or not option or node is None:
                self.fault(where, "write it as stage.option=value, for example --set short_side.at_least=128")
            elif not stage:
                tree[option] = Value(where, node)
            elif not self._override_step(tree, stage, option, Value(where, node)):
                names = [n for n, _ in self._steps(tree)]
                self.fault(where, f"the recipe has no stage '{stage}'.{nearest(stage, names)}")

    def _override_step(self, tree: dict[str, Value], stage: str, option: str, new: Value) -> bool:
        if (stage == "train" or stage.startswith("train.")) and "train" in tree:
            section = located(self, tree["train"])
            if section is not None:
                section[f"{stage}.{option}".removeprefix("train.")] = new
            return True
        for name, step in self._steps(tree):
            if name == stage:
                step[option] = new
                return True
        return False

    def _steps(self, tree: dict[str, Value]) -> Iterable[tuple[str, dict[str, Value]]]:
        """Yield each stage's name and located options, caching the located form in the tree."""
        for part in ("source", "sink"):
            if part in tree:
                yield from self._one_step(tree[part])
        for item in self._listed(tree):
            yield from self._one_step(item)

    def _listed(self, tree: dict[str, Value]) -> list[Value]:
        if "stages" not in tree:
            return []
        entry = tree["stages"]
        if isinstance(entry.value, yaml.SequenceNode):
            entry.value = [Value(self.where(n), n) for n in entry.value.value]
        elif isinstance(entry.value, yaml.Node):
            self.fault(entry.where, "stages must be a list, one `- name: {option: value}` a line")
            entry.value = []
        items: list[Value] = entry.value
        return items

    def _one_step(self, entry: Value) -> Iterable[tuple[str, dict[str, Value]]]:
        if isinstance(entry.value, yaml.Node):
            entry.value = self._located_step(entry)
        if entry.value is not None:
            yield entry.value

    def _located_step(self, entry: Value) -> tuple[str, dict[str, Value]] | None:
        node = entry.value
        if isinstance(node, yaml.ScalarNode) and node.value:
            return str(node.value), {}
        if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
            self.fault(entry.where, "a stage is written `name: {option: value}`, one name only")
            return None
        key, options = node.value[0]
        entry.where = self.where(key)
        if isinstance(options, yaml.ScalarNode) and options.tag.endswith(":null"):
            return str(key.value), {}
        located = self.mapping(options, f"options of '{key.value}'")
        return None if located is None else (str(key.value), located)

    def recipe(self, tree: dict[str, Value]) -> Recipe | None:
        """Validate everything; None where a part could not be made at all."""
        for name, entry in tree.items():
            if name not in _TOP:
                self.fault(entry.where, f"no entry named '{name}'.{nearest(name, _TOP)}")
        for name in ("source", "sink"):
            if name not in tree:
                self.fault(self.path, f"'{name}' is missing")
        settings = self._settings(tree)
        source = self._stage(tree.get("source"), Source)
        middle = [(item.where, self._stage(item, Stage)) for item in self._listed(tree)]
        sink = self._stage(tree.get("sink"), Sink)
        train = self._training(tree.get("train"))
        if settings is None or source is None or sink is None or any(s is None for _, s in middle):
            return None
        placed = [(where, stage) for where, stage in middle if stage is not None]
        self._check_columns(source, placed, (tree["sink"].where, sink))
        at = tree["train"].where if "train" in tree else ""
        return Recipe(settings, source, tuple(s for _, s in placed), sink, train, at)

    def _training(self, entry: Value | None) -> TrainSection | None:
        options = None if entry is None else located(self, entry)
        if entry is None or options is None:
            return None
        made: TrainSection | None = self._validated(TrainSection, options, entry.where, "train: ")
        return made

    def _settings(self, tree: dict[str, Value]) -> RunSettings | None:
        given: dict[str, Value] = {n: tree[n] for n in RunSettings.model_fields if n in tree}
        return self._validated(RunSettings, given, self.path, "")

    def _stage(self, entry: Value | None, kind: type[Any]) -> Any:
        if entry is None:
            return None
        step = next(iter(self._one_step(entry)), None)
        if step is None:
            return None
        name, options = step
        found = stages().get(name)
        if found is None:
            self.fault(entry.where, f"no stage named '{name}'.{nearest(name, stages())}")
        elif not issubclass(found, kind) or (kind is Stage and issubclass(found, Source | Sink)):
            wanted = kind.kind if kind is not Stage else "filter, edit or reduce"
            self.fault(entry.where, f"'{name}' is of kind {found.kind}; a {wanted} belongs here")
        else:
            return self._validated(found, options, entry.where, f"{name}: ")
        return None

    def _validated(self, model: type[Any], options: Mapping[str, Value], where: str, prefix: str) -> Any:
        plain = self.plain(options, prefix)
        if plain is None:
            return None
        try:
            return model.model_validate(plain)
        except ValidationError as error:
            for fault in _causes(error.errors()):
                written = (".".join(map(str, fault["loc"])), *map(str, fault["loc"][:1]))
                place = next((options[name] for name in written if name in options), None)
                self.fault(place.where if place else where, prefix + _say(fault, model))
            return None

    def _check_score(self, where: str, stage: Stage, written: Mapping[str, pa.Field]) -> None:
        if not isinstance(stage, Reduce) or stage.score is None or stage.score not in written:
            return
        kind = written[stage.score].type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            self.fault(where, f"{stage.name}: score: {stage.score} is {kind}; survivors are picked by a number")

    def _check_columns(self, source: Source, middle: list[tuple[str, Stage]], sink: tuple[str, Sink]) -> None:
        load = source.load()
        written = {f.name: f for f in (column("key"), *source.outputs(), *(load.outputs() if load else ()))}
        seen: set[str] = {source.name}
        derived: dict[str, str] = {}
        for where, stage in [*middle, sink]:
            for name in stage.inputs():
                if name not in written:
                    hint = nearest(name, written)
                    self.fault(where, f"{stage.name} reads '{name}', which no earlier stage writes.{hint}")
            self._check_score(where, stage, written)
            if stage.name in seen:
                self.fault(where, f"'{stage.name}' stands twice; a stage can be used once in a recipe")
            seen.add(stage.name)
            for field in stage.outputs():
                self._check_write(where, stage, field, written)
                self._check_derived(where, stage, field.name, derived)
                written[field.name] = field
            for field in stage.labels if isinstance(stage, Filter) else ():
                self._check_write(where, stage, field, written)
            if stage.kind == "edit":
                own = {field.name for field in stage.outputs()}
                derived |= {name: stage.name for name in stage.inputs() if not own & {name}}

    def _check_write(self, where: str, stage: Stage, field: pa.Field, written: dict[str, pa.Field]) -> None:
        earlier = written.get(field.name)
        if earlier is None:
            return
        if stage.kind != "edit":
            self.fault(where, f"{stage.name} writes '{field.name}', which an earlier stage writes already")
        elif earlier.type != field.type:
            self.fault(where, f"{stage.name} turns '{field.name}' from {earlier.type} into {field.type}")
        elif field.name not in stage.inputs():
            self.fault(where, f"{stage.name} would replace '{field.name}', which an earlier stage writes, unread")

    def _check_derived(self, where: str, stage: Stage, name: str, derived: dict[str, str]) -> None:
        """What was made from a column holds what the column held: a redaction behind it would come too late."""
        if stage.kind == "edit" and name in derived:
            user = derived[name]
            self.fault(where, f"{stage.name} changes '{name}' after {user} has used it: put {stage.name} first")


def _causes(faults: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a list is too short where what was written in it is at fault itself."""
    return [
        fault for fault in faults
        if fault["type"] != "too_short" or not any(other["loc"][:-1] == fault["loc"] for other in faults)
    ]  # fmt: skip


def _say(fault: ErrorDetails, model: type[BaseModel]) -> str:
    option = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
        return f"no option named '{option}'.{nearest(option, model.model_fields)}"
    if fault["type"] == "missing":
        return f"{option}: required, and not given"
    message = fault["msg"].removeprefix("Value error, ")
    hint = ""
    if fault["type"] == "literal_error" and isinstance(fault["input"], str):
        hint = nearest(fault["input"], fault["ctx"]["expected"].strip("'").replace("' or '", "', '").split("', '"))
    if not option:  # of settings that do not go together: the message names them
        return message
    return f"{option}: {message}, got {fault['input']!r}{'.' if hint else ''}{hint}"
