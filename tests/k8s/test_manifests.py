import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import core_kinds
import crd_schema
import pod_rules

from curate.recipe import load_recipe

ROOT = Path(__file__).parents[2]


def test_job_is_what_its_definition_allows(manifests, crd_of_job):
    assert crd_schema.faults(crd_of_job, pod_rules.job_of(manifests)) == []


def test_core_kinds_are_valid(manifests):
    core = [m for m in manifests if m["kind"] != "RayJob"]
    assert {m["kind"] for m in core} >= {"ConfigMap", "NetworkPolicy", "PersistentVolumeClaim", "ServiceAccount"}
    assert [fault for m in core for fault in core_kinds.faults(m)] == []


def test_every_pod_template_is_a_valid_pod(manifests):
    pods = [core_kinds.as_pod(t) for t in pod_rules.pod_templates(manifests).values()]
    assert [fault for pod in pods for fault in core_kinds.faults(pod)] == []


def test_pods_and_job_keep_the_rules(manifests):
    assert pod_rules.faults(manifests) == []


def test_versions_are_those_of_the_package(manifests):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    ray = re.search(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[1]
    images = {c["image"] for t in pod_rules.pod_templates(manifests).values() for c in t["spec"]["containers"]}
    assert {image.rpartition(":")[2] for image in images} == {version}
    assert pod_rules.job_of(manifests)["spec"]["rayClusterSpec"]["rayVersion"] == ray


def run_entrypoint(manifests, tmp_path, environment):
    """Carry the entry point through the submitter's shell and the head's, to a `curate` that prints its arguments."""
    entrypoint = pod_rules.job_of(manifests)["spec"]["entrypoint"]
    submit = f"{shlex.quote(sys.executable)} -c 'import shlex, sys; print(shlex.join(sys.argv[1:]))' {entrypoint}"
    submitted = subprocess.run(
        ["bash", "-c", submit], capture_output=True, text=True, check=True, env={"PATH": os.defpath}
    ).stdout
    program = tmp_path / "curate"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.defpath}"
    return subprocess.run(
        submitted, shell=True, capture_output=True, text=True, check=False, env={"PATH": path} | environment
    )


def test_entrypoint_reads_the_output_from_the_heads_environment(manifests, tmp_path):
    done = run_entrypoint(manifests, tmp_path, {"CURATE_OUT": "s3://bucket/a run", "CURATE_WORKERS": "3"})
    wanted = ["run", "/etc/curate/recipe.yaml", "--workers", "3", "--out", "s3://bucket/a run"]
    assert done.stdout.splitlines() == wanted


def test_entrypoint_without_an_output_says_what_to_add(manifests, tmp_path):
    done = run_entrypoint(manifests, tmp_path, {})
    assert done.returncode != 0
    assert "CURATE_OUT: add it to the Secret curate-storage, see docs/kubernetes.md" in done.stderr


def test_the_recipe_is_where_the_entrypoint_looks(manifests):
    head = pod_rules.pod_templates(manifests)["head"]["spec"]
    mount = next(m for m in head["containers"][0]["volumeMounts"] if m["mountPath"] == "/etc/curate")
    volume = next(v for v in head["volumes"] if v["name"] == mount["name"])
    config = next(m for m in manifests if m["metadata"]["name"] == volume["configMap"]["name"])
    assert list(config["data"]) == ["recipe.yaml"]


def test_the_recipe_loads(manifests, tmp_path):
    (recipe,) = [m["data"]["recipe.yaml"] for m in manifests if "recipe.yaml" in m.get("data", {})]
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe)
    assert load_recipe(str(path)).name == "captions"


def test_entrypoint_gives_options_that_curate_run_has(manifests):
    entrypoint = pod_rules.job_of(manifests)["spec"]["entrypoint"]
    curate = Path(sys.executable).with_name("curate")
    known = subprocess.run([curate, "run", "--help"], capture_output=True, text=True, check=True).stdout
    given = set(re.findall(r"--[a-z-]+", entrypoint))
    assert given
    assert given <= set(re.findall(r"--[a-z-]+", known))
