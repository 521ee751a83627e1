"""The other side of `isolate`: opens one stage, then answers tables until its input ends. Run as a module."""

import os
import pickle
import sys
from typing import IO

from curate.errors import CurateError
from curate.run.isolate import READY, from_bytes, receive, send, to_bytes
from curate.run.opened import open_stage


def main() -> None:
    """Serve the stage that the first frame holds."""
    # What a stage prints must not mix with the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    stage = pickle.loads(receive(sys.stdin.buffer))  # noqa: S301 - from the parent process, which made it
    try:
        measure = open_stage(stage)
    except CurateError as error:
        _send_error(answers, error)
        return
    send(answers, READY)
    send(answers, b"")
    while True:
        try:
            table = from_bytes(receive(sys.stdin.buffer))
        except EOFError:
            return
        try:
            body = to_bytes(measure(table))
        except CurateError as error:
            _send_error(answers, error)
            continue
        send(answers, b"table")
        send(answers, body)


def _send_error(answers: IO[bytes], error: CurateError) -> None:
    send(answers, b"error")
    send(answers, pickle.dumps(error))


if __name__ == "__main__":
    main()
