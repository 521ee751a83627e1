"""The other side of isolation: a process that opens one stage and answers tables until its input ends."""

import pickle
import subprocess
import sys

import pyarrow as pa
import pytest

from curate.errors import ModelError
from curate.run import child
from curate.run.isolate import READY, from_bytes, receive, send, to_bytes
from tests.run.lines import lines


@pytest.fixture
def process():
    line = [sys.executable, "-m", child.__name__]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield process
        process.stdin.close()


def opened(process, stage):
    send(process.stdin, pickle.dumps(stage))
    return receive(process.stdout), receive(process.stdout)


def answer(process, table):
    send(process.stdin, to_bytes(table))
    return receive(process.stdout), receive(process.stdout)


def test_it_answers_one_table_after_another(process):
    (stage,) = lines("line_number").stages
    assert opened(process, stage) == (READY, b"")
    for numbers in ([3, 1], [], [2]):
        status, body = answer(process, pa.table({"caption": pa.array([f"line {n}" for n in numbers], pa.string())}))
        assert status == b"table"
        assert from_bytes(body)["line_number"].to_pylist() == numbers


def test_what_a_stage_prints_does_not_mix_with_the_answers(process):
    from curate_test_stages import Chatty

    assert opened(process, Chatty()) == (READY, b"")
    status, body = answer(process, pa.table({"caption": ["line 1"]}))
    assert (status, from_bytes(body)["chatty"].to_pylist()) == (b"table", [1])


def test_an_error_on_purpose_travels_whole(process):
    from curate_test_stages import LacksWeights

    status, body = opened(process, LacksWeights())
    error = pickle.loads(body)
    assert (status, type(error), str(error)) == (b"error", ModelError, "no weights here")
