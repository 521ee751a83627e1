"""Broken manifests must be refused: a check that passes everything checks nothing."""

import copy
from operator import itemgetter

import core_kinds
import crd_schema
import pod_rules
import pytest

HEAD = "spec.rayClusterSpec.headGroupSpec"
HEAD_POD = f"{HEAD}.template.spec"
WORKER = "spec.rayClusterSpec.workerGroupSpecs.0"
WORKER_POD = f"{WORKER}.template.spec"
BOX = "containers.0"
GONE = object()


def changed(job, path, value):
    """Return a copy of `job` with the field at a dotted path set, or removed where `value` is GONE."""
    broken = copy.deepcopy(job)
    *parents, last = (int(step) if step.isdigit() else step for step in path.split("."))
    owner = broken
    for step in parents:
        owner = itemgetter(step)(owner)
    if value is GONE:
        del owner[last]
    else:
        owner[last] = value
    return broken


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("spec.entryPoint", "x", "entryPoint"),
        ("spec.backoffLimit", "three", "is not of type 'integer'"),
        ("spec.rayClusterSpec.autoscalerOptions.version", "v3", "is not one of"),
        ("spec.rayClusterSpec.authOptions.mode", "on", "is not one of"),
        (f"{HEAD}.template", GONE, "'template' is a required property"),
        (f"{HEAD}.rayStartParams.num-cpus", 0, "is not of type 'string'"),
        (f"{WORKER}.maxReplica", 3, "maxReplica"),
        (f"{WORKER}.groupName", GONE, "'groupName' is a required property"),
        (f"{HEAD_POD}.{BOX}.resources.limits.memory", "8 gigabytes", "does not match"),
        (f"{HEAD_POD}.{BOX}.volumeMount", [], "volumeMount"),
        (f"{HEAD_POD}.{BOX}.ports", [{"containerPort": 1}, {"containerPort": 1}], "two items share"),
        ("spec.managedBy", "me", "must be either"),
        ("spec.deletionStrategy", {}, "requires either BOTH"),
    ],
)
def test_definition_refuses(manifests, crd_of_job, path, value, says):
    found = crd_schema.faults(crd_of_job, changed(pod_rules.job_of(manifests), path, value))
    assert any(says in fault for fault in found), found


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("spec.submissionMode", "SidecarMode", "submissionMode"),
        ("spec.backoffLimit", 0, "backoffLimit"),
        ("spec.shutdownAfterJobFinishes", GONE, "shutdownAfterJobFinishes"),
        ("spec.ttlSecondsAfterFinished", GONE, "ttlSecondsAfterFinished"),
        ("spec.rayClusterSpec.authOptions", GONE, "token authentication"),
        ("spec.rayClusterSpec.autoscalerOptions", GONE, "autoscaler v2"),
        (f"{HEAD}.rayStartParams.num-cpus", "2", "no CPUs to give"),
        (f"{WORKER}.minReplicas", 1, "minReplicas"),
        (f"{WORKER}.replicas", 99, "out of bounds"),
        (f"{HEAD_POD}.restartPolicy", "Always", "restartPolicy"),
        (f"{HEAD_POD}.securityContext.runAsNonRoot", GONE, "root"),
        (f"{HEAD_POD}.securityContext.runAsUser", 0, "root"),
        (f"{HEAD_POD}.securityContext.seccompProfile", GONE, "seccomp"),
        (f"{WORKER_POD}.hostNetwork", True, "host's Network"),
        (f"{WORKER_POD}.serviceAccountName", "admin", "ServiceAccount admin"),
        (f"{WORKER_POD}.tolerations", [{"key": "gpu", "operator": "Exists", "effect": "NoRun"}], "toleration"),
        (f"{WORKER_POD}.volumes.0.persistentVolumeClaim.claimName", "weights", "PersistentVolumeClaim weights"),
        (f"{HEAD_POD}.volumes.0.configMap.name", "curate-recipe", "ConfigMap curate-recipe"),
        (f"{WORKER_POD}.{BOX}.envFrom.1.secretRef.name", "keys", "Secret keys"),
        (f"{WORKER_POD}.{BOX}.volumeMounts.0.name", "nowhere", "no volume of the pod"),
        (f"{WORKER_POD}.{BOX}.image", "curate:latest", "not pinned"),
        (f"{WORKER_POD}.{BOX}.image", "registry:5000/curate", "not pinned"),
        (f"{WORKER_POD}.{BOX}.resources.limits.cpu", "500m", "more cpu than its limit"),
        (f"{WORKER_POD}.{BOX}.resources.limits.memory", "17Gi", "memory's request is not its limit"),
        (f"{WORKER_POD}.{BOX}.resources.limits.memory", GONE, "no request and limit of memory"),
        (f"{WORKER_POD}.{BOX}.securityContext.allowPrivilegeEscalation", GONE, "escalate"),
        (f"{WORKER_POD}.{BOX}.securityContext.privileged", True, "capabilities"),
        (f"{WORKER_POD}.{BOX}.securityContext.readOnlyRootFilesystem", False, "root file system"),
        (f"{WORKER}.template.metadata.labels", {"app": "other"}, "no NetworkPolicy"),
        ("spec.submitterPodTemplate.spec.containers.0.resources", GONE, "no request and limit of cpu"),
    ],
)
def test_rules_refuse(manifests, path, value, says):
    job = pod_rules.job_of(manifests)
    others = [m for m in manifests if m is not job]
    found = pod_rules.faults([*others, changed(job, path, value)])
    assert any(says in fault for fault in found), found


def test_rules_refuse_a_secret_in_the_manifests(manifests):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "curate-storage"}}
    assert pod_rules.faults([*manifests, secret]) == ["Secret curate-storage is in the manifests"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.containers", GONE),
        ("spec.containers.0.imagePull", "Always"),
        ("spec.terminationGracePeriodSeconds", "long"),
        ("spec.securityContext.runAsUser", "root"),
    ],
)
def test_pod_schema_refuses(manifests, path, value):
    for template in pod_rules.pod_templates(manifests).values():
        assert core_kinds.faults(changed(core_kinds.as_pod(template), path, value))
