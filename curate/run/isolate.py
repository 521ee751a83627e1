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

from curate.errors import CurateError, StageError
from curate.run.opened import Measure, failed_rows, result_schema
from curate.stage import Stage

OPEN_TIMEOUT_S, TABLE_TIMEOUT_S, ROW_TIMEOUT_S = 900.0, 900.0, 60.0
READY = b"ready"
"""What the child says once its stage is open."""


def open_isolated(stage: Stage, stall_timeout_s: float = TABLE_TIMEOUT_S) -> Measure:
    """Return the stage's safe form, which survives a stage that crashes its process or hangs.

    A table, and each row of one that killed, may take `stall_timeout_s`, and no longer than the constants above.
    """
    return _Isolated(stage, stall_timeout_s)


class _Died(Exception):  # noqa: N818 - an event between two functions here, never seen outside
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Isolated:
    def __init__(self, stage: Stage, stall_timeout_s: float) -> None:
        self.stage = stage
        self.table_timeout_s = min(TABLE_TIMEOUT_S, stall_timeout_s)
        self.row_timeout_s = min(ROW_TIMEOUT_S, stall_timeout_s)
        self.child: _Child | None = None

    def __call__(self, table: pa.Table) -> pa.Table:
        try:
            try:
                return self._ask(table, self.table_timeout_s)
            except _Died:
                return pa.concat_tables([self._one(table.slice(i, 1)) for i in range(table.num_rows)])
        finally:
            self._end()

    def _one(self, row: pa.Table) -> pa.Table:
        try:
            return self._ask(row, self.row_timeout_s)
        except _Died as death:
            return failed_rows(result_schema(self.stage), 1, death.reason)

    def _ask(self, table: pa.Table, timeout_s: float) -> pa.Table:
        if self.child is None:
            self.child = _Child(self.stage)
        try:
            answer = self.child.ask(table, timeout_s)
        except _Died:
            self._end()
            raise
        if isinstance(answer, CurateError):
            raise answer
        return answer

    def _end(self) -> None:
        if self.child is not None:
            self.child.end()
            self.child = None


class _Child:
    """A process with the stage open in it."""

    def __init__(self, stage: Stage) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "curate.run.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        try:
            status, body = self._exchange(pickle.dumps(stage), OPEN_TIMEOUT_S)
        except _Died as death:
            self.end()
            raise StageError(
                f"{stage.name}: cannot be opened: its process {death.reason} ({OPEN_TIMEOUT_S:.0f} s are allowed). "
                "A library or its weights may be broken here, or memory short."
            ) from None
        if status != READY:
            self.end()
            raise pickle.loads(body)  # noqa: S301 - written by our own child

    def ask(self, table: pa.Table, timeout_s: float) -> pa.Table | CurateError:
        """Return the stage's answer, or the error that it raised on purpose."""
        status, body = self._exchange(to_bytes(table), timeout_s)
        return from_bytes(body) if status == b"table" else pickle.loads(body)  # noqa: S301 - written by our own child

    def _exchange(self, frame: bytes, timeout_s: float) -> tuple[bytes, bytes]:
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:
            raise _Died("has_no_pipes")
        late = threading.Event()

        def kill() -> None:
            late.set()
            self.process.kill()

        timer = threading.Timer(timeout_s, kill)
        timer.start()
        try:
            send(stdin, frame)
            return receive(stdout), receive(stdout)
        except (BrokenPipeError, EOFError):
            code = self.process.wait()
            raise _Died("hung" if late.is_set() else _how(code)) from None
        finally:
            timer.cancel()

    def end(self) -> None:
        """End the process and close its pipes."""
        self.process.kill()
        self.process.communicate()


def _how(code: int) -> str:
    """Name how a process ended."""
    return f"crashed_{signal.Signals(-code).name}" if code < 0 else f"crashed_exit_{code}"


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
