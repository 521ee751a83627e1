"""Checks what Kubernetes itself defines, with unknown fields refused."""

from typing import Any

import jsonschema
import kubernetes_validate

Manifest = dict[str, Any]


def faults(manifest: Manifest) -> list[str]:
    """Return the first way in which an object of a core kind breaks its schema, or nothing."""
    try:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    except jsonschema.ValidationError as error:
        return [f"{error.json_path}: {error.message}"]
    return []


def as_pod(template: Manifest) -> Manifest:
    """Make a Pod of a pod template."""
    return {"apiVersion": "v1", "kind": "Pod"} | template
