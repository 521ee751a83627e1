import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "k8s/Dockerfile"
HADOLINT = Path(sys.executable).with_name("hadolint")


def lint(text):
    return subprocess.run([HADOLINT, "--no-color", "-"], input=text, capture_output=True, text=True, check=False)


def test_hadolint_finds_nothing():
    done = lint(DOCKERFILE.read_text())
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("line", "rule"),
    [("FROM debian:latest", "DL3007"), ("USER root", "DL3002"), ("RUN cd /tmp", "DL3003"), ("RUN sudo id", "DL3004")],
)
def test_hadolint_refuses(line, rule):
    assert rule in lint(f"{DOCKERFILE.read_text()}\n{line}\n").stdout


def test_the_last_stage_runs_as_a_number_that_is_not_root():
    last_stage = DOCKERFILE.read_text().rpartition("\nFROM ")[2]
    users = re.findall(r"^USER (\S+)", last_stage, re.MULTILINE)
    assert users[-1] == "1000:1000"


def test_everything_that_is_copied_exists_and_is_sent_to_the_builder():
    sent = {line[1:] for line in (ROOT / "k8s/Dockerfile.dockerignore").read_text().split() if line.startswith("!")}
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    copied = {name for line in lines for name in line.split()}
    assert copied == sent
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_torch_is_the_pinned_one():
    pinned = re.search(r"^torch==\S+$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[0]
    assert set(re.findall(r"torch==\S+", DOCKERFILE.read_text())) == {pinned}
    assert set(re.findall(r"torch==\S+", (ROOT / "Makefile").read_text())) == {pinned}
