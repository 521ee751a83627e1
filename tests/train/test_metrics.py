import json
import os

import pytest

from curate.errors import TrainError
from curate.train.metrics import Metrics


def lines(*steps):
    return b"".join(json.dumps({"step": step, "loss": step / 8}).encode() + b"\n" for step in steps)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def test_a_line_is_in_the_file_at_once(path):
    with Metrics(path, 0) as metrics:
        metrics.append({"step": 1, "loss": 0.125})
        assert path.read_bytes() == lines(1)
        metrics.sync()
    assert path.read_bytes() == lines(1)


def test_steps_past_the_checkpoint_are_cut(path):
    path.write_bytes(lines(1, 2, 3, 4) + b'{"step": 5, "lo')
    with Metrics(path, 2) as metrics:
        assert path.read_bytes() == lines(1, 2)
        metrics.append({"step": 3, "loss": 0.375})
    assert path.read_bytes() == lines(1, 2, 3)
    assert [p.name for p in path.parent.iterdir()] == ["metrics.jsonl"]


def test_a_beginning_forgets_what_was_there(path):
    path.write_bytes(lines(1, 2))
    with Metrics(path, 0):
        assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "held", [b"", lines(1), lines(1, 3), lines(2, 1), lines(1, 1), lines(1) + b"no json\n", lines(1) + b"[2]\n"]
)
def test_steps_that_are_missing_are_an_error_and_nothing_is_lost(path, held):
    path.write_bytes(held)
    with pytest.raises(TrainError, match=r"metrics\.jsonl: does not hold steps 1 to 2"):
        Metrics(path, 2)
    assert path.read_bytes() == held


def test_of_several_processes_one_writes(path):
    path.write_bytes(lines(1, 2, 3))
    with Metrics(path, 1, writes=False) as other:
        other.append({"step": 2})
        other.sync()
    assert path.read_bytes() == lines(1, 2, 3)
    path.unlink()
    with Metrics(path, 5, writes=False) as other:
        other.append({"step": 6})
    assert os.listdir(path.parent) == []  # noqa: PTH208 - names alone
