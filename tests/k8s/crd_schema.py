"""Checks an object as the API server would: the schema of its CustomResourceDefinition, made strict.

Defaults are filled in first, as the server does; unknown fields, duplicate keys of list maps and broken CEL rules
are faults. Rules about a change (`oldSelf`) do not apply to a new object.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema
from cel import evaluate

Schema = dict[str, Any]


def faults(crd: Schema, manifest: Schema) -> list[str]:
    """Return one line for each way in which `manifest` breaks its definition."""
    schema = _schema_of(crd, manifest["apiVersion"].rpartition("/")[2])
    filled = _with_defaults(schema, manifest)
    validator = jsonschema.Draft202012Validator(_strict(schema, root=True))
    found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(filled)]
    return found or list(_rule_faults(schema, filled, "$"))


def _schema_of(crd: Schema, version: str) -> Schema:
    for served in crd["spec"]["versions"]:
        if served["name"] == version:
            return served["schema"]["openAPIV3Schema"]
    raise AssertionError(f"{crd['metadata']['name']} serves no version {version}")


def _strict(schema: Schema, *, root: bool = False) -> Schema:
    """Translate a structural schema to JSON Schema that refuses what the server would prune."""
    strict: Schema = {k: v for k, v in schema.items() if k in KEYWORDS}
    if "properties" in schema:
        strict["properties"] = {name: _strict(part) for name, part in schema["properties"].items()}
        strict["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if root:
        strict["properties"]["metadata"] = {"type": "object"}
    if isinstance(schema.get("additionalProperties"), dict):
        strict["additionalProperties"] = _strict(schema["additionalProperties"])
    if "items" in schema:
        strict["items"] = _strict(schema["items"])
    return _loosened(schema, strict)


KEYWORDS = (
    "type", "enum", "pattern", "required", "anyOf", "format",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
)  # fmt: skip


def _loosened(schema: Schema, strict: Schema) -> Schema:
    if schema.get("x-kubernetes-int-or-string"):
        strict = {k: v for k, v in strict.items() if k != "anyOf"} | {"type": ["integer", "string"]}
    if schema.get("nullable"):
        strict["type"] = [strict["type"], "null"]
    return strict


def _with_defaults(schema: Schema, value: Any) -> Any:
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        filled = {n: p["default"] for n, p in properties.items() if "default" in p} | value
        extra = schema.get("additionalProperties")
        rest = extra if isinstance(extra, dict) else {}
        return {n: _with_defaults(properties.get(n, rest), v) for n, v in filled.items() if v is not None}
    if isinstance(value, list):
        return [_with_defaults(schema.get("items", {}), v) for v in value]
    return value


def _rule_faults(schema: Schema, value: Any, where: str) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", []):
        if "oldSelf" not in rule["rule"] and not evaluate(rule["rule"], {"self": value}):
            yield f"{where}: {rule.get('message', rule['rule'])}"
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _rule_faults(schema.get("properties", {}).get(name, {}), part, f"{where}.{name}")
    if isinstance(value, list):
        yield from _duplicates(schema.get("x-kubernetes-list-map-keys"), value, where)
        for place, part in enumerate(value):
            yield from _rule_faults(schema.get("items", {}), part, f"{where}[{place}]")


def _duplicates(keys: list[str] | None, items: list[Any], where: str) -> Iterator[str]:
    seen = set()
    for item in items if keys else ():
        key = tuple(item.get(k) for k in keys or ())
        if key in seen:
            yield f"{where}: two items share {dict(zip(keys or (), key, strict=True))}"
        seen.add(key)
