import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

K8S = Path(__file__).parents[2] / "k8s"


@pytest.fixture(scope="session", params=["base", "overlays/example"])
def manifests(request):
    """Every object that `kubectl kustomize` renders from a folder under k8s/."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    rendered = subprocess.run([kubectl, "kustomize", K8S / request.param], capture_output=True, text=True, check=False)
    assert rendered.returncode == 0, rendered.stderr
    return list(yaml.safe_load_all(rendered.stdout))


@pytest.fixture(scope="session")
def crd_of_job():
    path = os.environ.get("CURATE_KUBERAY_CRDS")
    if not path:
        pytest.skip("CURATE_KUBERAY_CRDS does not name KubeRay's resource definitions; docs/kubernetes.md says how")
    with gzip.open(path) as stream:
        return next(crd for crd in json.load(stream) if crd["spec"]["names"]["kind"] == "RayJob")
