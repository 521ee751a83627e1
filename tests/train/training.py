"""`python -m train.training DATA OUT KEY=VALUE...`: training in a process of its own, which a test can kill."""

import os
import signal
import sys
import warnings
from typing import Any

from curate.train import train

warnings.simplefilter("error")


def main(data: str, out: str, *overrides: str) -> None:
    """Train, and print a line for each event, so that a test knows how far it is.

    DATA may name several runs, with commas between. Beside settings, `preset=NAME`, and `divided=yes` to divide weights
    among the processes.
    """
    values = dict(override.split("=", 1) for override in overrides)
    preset, divided = values.pop("preset", "llava-tiny"), values.pop("divided", "")
    train(preset, data.split(","), out, overrides=values, divided=bool(divided), progress=tell)


def tell(event: dict[str, Any]) -> None:
    """Write one line, at once."""
    sys.stdout.write(f"{event['event']} {event.get('step')}\n")
    sys.stdout.flush()
    if event["event"] == "step" and event["step"] == int(os.environ.get("STOP_AFTER", "-1")) + 1:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
