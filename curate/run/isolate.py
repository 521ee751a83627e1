"""A stage in a process of its own, for partitions whose worker died: the sample that kills is found and named.

The child is tried with the whole table; where it dies again, rows go to it one at a time, and a row that kills it
fails with the signal's name. A row that takes longer than its time limit is killed likewise.
"""

import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from typing import IO

import pyarrow as pa

from curate.errors import StageError
from curate.run.opened import Measure, failed_rows, result_schema
from curate.stage import Stage

TABLE_TIMEOUT_S, ROW_TIMEOUT_S = 900.0, 60.0


def open_isolated(stage: Stage) -> Measure:
    """Return the stage's safe form, which survives a stage that crashes its process or hangs."""
    return _Isolated(stage)


class _Died(Exception):  # noqa: N818 - an event between two functions here, never seen outside
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Isolated:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.child: subprocess.Popen[bytes] | None = None

    def __call__(self, table: pa.Table) -> pa.Table:
        try:
            try:
                return self._ask(table, TABLE_TIMEOUT_S)
            except _Died:
                return pa.concat_tables([self._one(table.slice(i, 1)) for i in range(table.num_rows)])
        finally:
            self._end()

    def _one(self, row: pa.Table) -> pa.Table:
        try:
            return self._ask(row, ROW_TIMEOUT_S)
        except _Died as death:
            return failed_rows(result_schema(self.stage), 1, death.reason)

    def _ask(self, table: pa.Table, timeout_s: float) -> pa.Table:
        child = self.child or self._start()
        late = threading.Event()

        def kill() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(timeout_s, kill)
        timer.start()
        try:
            answer = _exchange(child, table)
        except (BrokenPipeError, EOFError):
            code = child.wait()
            self.child = None
            raise _Died("hung" if late.is_set() else _how(code)) from None
        finally:
            timer.cancel()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self.child = subprocess.Popen(
            [sys.executable, "-m", "curate.run.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        if self.child.stdin is None:
            raise StageError(f"{self.stage.name}: its process has no input")
        send(self.child.stdin, pickle.dumps(self.stage))
        return self.child

    def _end(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.communicate()
            self.child = None


def _how(code: int) -> str:
    """Name how a process ended."""
    return f"crashed_{signal.Signals(-code).name}" if code < 0 else f"crashed_exit_{code}"


def _exchange(child: subprocess.Popen[bytes], table: pa.Table) -> pa.Table | Exception:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    send(child.stdin, to_bytes(table))
    status, body = receive(child.stdout), receive(child.stdout)
    return from_bytes(body) if status == b"table" else pickle.loads(body)  # noqa: S301 - written by our own child


def send(stream: IO[bytes], frame: bytes) -> None:
    """Write one length-prefixed frame."""
    stream.write(struct.pack("<Q", len(frame)) + frame)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """Read one length-prefixed frame; EOFError where the other side is gone."""
    head = stream.read(8)
    if len(head) < 8:  # noqa: PLR2004 - the length's own bytes
        raise EOFError
    (size,) = struct.unpack("<Q", head)
    body = stream.read(size)
    if len(body) < size:
        raise EOFError
    return body


def to_bytes(table: pa.Table) -> bytes:
    """Return a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def from_bytes(data: bytes) -> pa.Table:
    """Read what `to_bytes` gave."""
    return pa.ipc.open_stream(data).read_all()
