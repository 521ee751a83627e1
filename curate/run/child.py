"""The other side of `isolate`: opens one stage, then answers tables until its input ends. Run as a module."""

import os
import pickle
import sys

from curate.errors import CurateError
from curate.run.isolate import from_bytes, receive, send, to_bytes
from curate.run.opened import open_stage


def main() -> None:
    """Serve the stage that the first frame holds."""
    # What a stage prints must not mix with the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    stage = pickle.loads(receive(sys.stdin.buffer))  # noqa: S301 - from the parent process, which made it
    measure = open_stage(stage)
    while True:
        try:
            table = from_bytes(receive(sys.stdin.buffer))
        except EOFError:
            return
        try:
            body, status = to_bytes(measure(table)), b"table"
        except CurateError as error:
            body, status = pickle.dumps(error), b"error"
        send(answers, status)
        send(answers, body)


if __name__ == "__main__":
    main()
