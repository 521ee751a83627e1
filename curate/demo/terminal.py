"""What the demos' command lines do alike: say things at once, and end with one message and a status."""

import sys
from collections.abc import Callable

from curate.errors import CurateError

INTERRUPTED = 130
"""What shells report of a command that Ctrl-C ended."""


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def status_of(work: Callable[[], None]) -> int:
    """Carry work out; return the exit status. What a person can mend is one message, never a traceback."""
    try:
        work()
    except CurateError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
