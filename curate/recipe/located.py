"""YAML whose values know the line they were written on; faults are collected, not raised at the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MAX_BYTES = 1_000_000
"""A recipe is a page of text; anything larger is not one."""


@dataclass
class Value:
    """A YAML value and where it was written."""

    where: str
    value: Any


class Located:
    """One reading of a YAML file, with the faults found so far, each `path:line: what`."""

    def __init__(self, path: str) -> None:
        """Begin with no faults."""
        self.path = path
        self.faults: list[str] = []

    def fault(self, where: str, what: str) -> None:
        """Note a fault."""
        self.faults.append(f"{where}: {what}")

    def compose(self, text: bytes) -> dict[str, Value] | None:
        """Parse to a mapping of located values; None (and a fault) where the text is not a mapping."""
        if len(text) > MAX_BYTES:
            self.fault(self.path, f"{len(text)} bytes is too long for a recipe")
            return None
        try:
            node = yaml.compose(text.decode(), Loader=yaml.SafeLoader)
            if node is not None and any(isinstance(e, yaml.AliasEvent) for e in yaml.parse(text.decode())):
                self.fault(self.path, "anchors and aliases (& and *) are not used in recipes; write the value out")
                return None
        except UnicodeDecodeError:
            self.fault(self.path, "not UTF-8 text; is this a recipe?")
            return None
        except (yaml.YAMLError, RecursionError) as error:
            self._not_yaml(error)
            return None
        return self.mapping(node, "the recipe")

    def _not_yaml(self, error: yaml.YAMLError | RecursionError) -> None:
        if isinstance(error, yaml.MarkedYAMLError):
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self.fault(f"{self.path}:{line}", f"not valid YAML: {error.problem}")
        elif isinstance(error, RecursionError):
            self.fault(self.path, "nested too deeply for a recipe")
        else:
            self.fault(self.path, f"not valid YAML: {str(error).partition(chr(10))[0]}")

    def mapping(self, node: yaml.Node | None, what: str) -> dict[str, Value] | None:
        """Return a mapping's values by name; None (and a fault) where the node is something else."""
        if not isinstance(node, yaml.MappingNode):
            where = self.path if node is None else self.where(node)
            self.fault(where, f"{what} must be a mapping of names to values")
            return None
        found: dict[str, Value] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.fault(self.where(key), f"{what}: a name must be plain text")
                continue
            if key.value in found:
                self.fault(self.where(key), f"'{key.value}' is written twice")
            found[key.value] = Value(self.where(key), value)
        return found

    def where(self, node: yaml.Node) -> str:
        """Return `path:line` of a node."""
        return f"{self.path}:{node.start_mark.line + 1}"

    def plain(self, values: Mapping[str, Value], prefix: str) -> dict[str, Any] | None:
        """Read nodes as YAML reads numbers, booleans and nulls; None (and faults) where one cannot be read."""
        found: dict[str, Any] = {}
        for name, entry in values.items():
            try:
                found[name] = _construct(entry.value)
            except yaml.MarkedYAMLError as error:
                self.fault(entry.where, f"{prefix}{name}: {error.problem}")
            except ValueError as error:
                self.fault(entry.where, f"{prefix}{name}: {error}; quote it if it is text")
        return found if len(found) == len(values) else None


def compose_value(text: str) -> yaml.Node | None:
    """Parse one value of a command line; None where it is not YAML."""
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    return node


def _construct(node: Any) -> Any:
    return yaml.SafeLoader("").construct_document(node) if isinstance(node, yaml.Node) else node
