"""Several processes that learn as one, started as torchrun starts them; each ends with the test."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = "train.training"


def together(count, *arguments, **environment):
    """Run `python -m train.training ARGUMENTS` in `count` processes that find each other; return what the first says.

    With STOP_AFTER=n in the environment the first is killed in step n + 1, and the others end for want of it.

    Raises:
        AssertionError: one of them failed; what it said is in the message.
    """
    port = _free_port()
    started = [_start(rank, count, port, arguments, environment) for rank in range(count)]
    said = [(process, *process.communicate()) for process in started]
    stopped = {-signal.SIGKILL, -signal.SIGTERM, 1} if "STOP_AFTER" in environment else {0}
    for process, _, error in said:
        assert process.returncode in stopped, error[-3000:]
    return said[0][1]


def _start(rank, count, port, arguments, environment):
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    joined = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    values = {**os.environ, "PYTHONPATH": paths, **{name: str(value) for name, value in joined.items()}, **environment}
    command = [sys.executable, "-m", SCRIPT, *map(str, arguments)]
    return subprocess.Popen(command, env=values, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
