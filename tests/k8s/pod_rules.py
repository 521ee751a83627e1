"""What no schema says of a pod and its job: limits, mounts, references, privileges, and how a RayJob must end.

Every function takes rendered manifests and returns faults, one line each; an empty list is a pass.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

Manifest = dict[str, Any]
EXTERNAL_SECRETS = {"curate-storage"}
"""Secrets that the user creates: a manifest may name them, and never holds them."""


def job_of(manifests: list[Manifest]) -> Manifest:
    """Return the one RayJob."""
    (job,) = [m for m in manifests if m["kind"] == "RayJob"]
    return job


def pod_templates(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Return every pod template of the RayJob by a name for messages."""
    spec = job_of(manifests)["spec"]
    cluster = spec["rayClusterSpec"]
    groups = {f"worker group {g['groupName']}": g["template"] for g in cluster["workerGroupSpecs"]}
    return {"head": cluster["headGroupSpec"]["template"], "submitter": spec["submitterPodTemplate"], **groups}


def faults(manifests: list[Manifest]) -> list[str]:
    """Return every fault of the rendered manifests."""
    found = [*_job_faults(job_of(manifests)["spec"]), *_secret_faults(manifests)]
    for where, template in pod_templates(manifests).items():
        pod = template["spec"]
        rules = [_privilege(pod), _restart(pod), _tolerations(pod), _references(pod, manifests)]
        rules += [_selected(template, manifests), *(_container(c, pod) for c in pod["containers"])]
        found += [f"{where}: {fault}" for rule in rules for fault in rule]
    return found


def _job_faults(spec: Manifest) -> Iterator[str]:
    cluster = spec["rayClusterSpec"]
    wanted = {
        "submissionMode is K8sJobMode": spec.get("submissionMode") == "K8sJobMode",
        "shutdownAfterJobFinishes": spec.get("shutdownAfterJobFinishes") is True,
        "ttlSecondsAfterFinished": spec.get("ttlSecondsAfterFinished", 0) > 0,
        "backoffLimit": spec.get("backoffLimit", 0) > 0,
        "the head has no CPUs to give": cluster["headGroupSpec"]["rayStartParams"].get("num-cpus") == "0",
        "autoscaler v2": cluster.get("autoscalerOptions", {}).get("version") == "v2",
        "token authentication": cluster.get("authOptions", {}).get("mode") == "token",
    }
    yield from (f"RayJob lacks: {what}" for what, there in wanted.items() if not there)
    for group in cluster["workerGroupSpecs"]:
        if group["minReplicas"] != 0 or not 0 <= group.get("replicas", 0) <= group["maxReplicas"]:
            yield f"worker group {group['groupName']}: minReplicas is not 0 or replicas is out of bounds"


def _secret_faults(manifests: list[Manifest]) -> Iterator[str]:
    yield from (f"Secret {m['metadata']['name']} is in the manifests" for m in manifests if m["kind"] == "Secret")


def _privilege(pod: Manifest) -> Iterator[str]:
    context = pod.get("securityContext", {})
    if not context.get("runAsNonRoot") or not context.get("runAsUser"):
        yield "may run as root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    for flag in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(flag):
            yield f"shares the host's {flag.removeprefix('host')}"


def _restart(pod: Manifest) -> Iterator[str]:
    if pod.get("restartPolicy") != "Never":
        yield "restartPolicy is not Never, which autoscaler v2 needs"


EFFECTS = {"NoSchedule", "PreferNoSchedule", "NoExecute"}


def _tolerations(pod: Manifest) -> Iterator[str]:
    for toleration in pod.get("tolerations", []):
        if toleration.get("effect") not in EFFECTS or toleration.get("operator") not in {"Exists", "Equal"}:
            yield f"toleration {toleration} has no valid operator and effect"


def _references(pod: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    here = {(m["kind"], m["metadata"]["name"]) for m in manifests} | {("Secret", n) for n in EXTERNAL_SECRETS}
    yield from (f"names {kind} {name}, which is nowhere" for kind, name in _named(pod) if (kind, name) not in here)


def _named(pod: Manifest) -> Iterator[tuple[str, str]]:
    yield "ServiceAccount", pod["serviceAccountName"]
    for volume in pod.get("volumes", []):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
    for container in pod["containers"]:
        for source in container.get("envFrom", []):
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            yield kind, source["configMapRef" if kind == "ConfigMap" else "secretRef"]["name"]


def _selected(template: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    """A pod that no policy selects may talk to anybody."""
    labels = template["metadata"]["labels"].items()
    policies = [m["spec"]["podSelector"]["matchLabels"] for m in manifests if m["kind"] == "NetworkPolicy"]
    if not any(wanted.items() <= labels for wanted in policies):
        yield "no NetworkPolicy selects it"


def _container(container: Manifest, pod: Manifest) -> Iterator[str]:
    yield from _image(container["image"])
    yield from _confined(container.get("securityContext", {}))
    yield from _resources(container.get("resources", {}))
    volumes = {v["name"] for v in pod.get("volumes", [])}
    mounts = {m["name"] for m in container.get("volumeMounts", [])}
    yield from (f"mounts {name}, which is no volume of the pod" for name in sorted(mounts - volumes))


def _image(image: str) -> Iterator[str]:
    tag = image.rpartition("/")[2].partition(":")[2]
    if tag in {"", "latest"}:
        yield f"image {image} is not pinned"


def _confined(context: Manifest) -> Iterator[str]:
    if context.get("allowPrivilegeEscalation") is not False:
        yield "may escalate privileges"
    if context.get("privileged") or context.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "keeps capabilities"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "may write to its root file system"


def _resources(resources: Manifest) -> Iterator[str]:
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    for name in ("cpu", "memory"):
        if name not in requests or name not in limits:
            yield f"has no request and limit of {name}"
    for name in requests.keys() & limits.keys():
        if _quantity(requests[name]) > _quantity(limits[name]):
            yield f"requests more {name} than its limit"
    if "memory" in requests and requests["memory"] != limits.get("memory"):
        yield "memory's request is not its limit"


POWERS = {"m": Decimal("0.001"), "": Decimal(1)}
POWERS |= {unit: Decimal(1000) ** n for n, unit in enumerate("kMGTPE", start=1)}
POWERS |= {f"{unit}i": Decimal(1024) ** n for n, unit in enumerate("KMGTPE", start=1)}


def _quantity(text: str | int) -> Decimal:
    """Read a Kubernetes quantity: 500m, 2, 8Gi."""
    number, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(text)).groups()
    return Decimal(number) * POWERS[unit]
