"""`python -m curate.demo`: the demo's command line."""

import argparse
import sys
from pathlib import Path

from curate.demo.run import Demo, run, serve
from curate.demo.server import PORT
from curate.errors import CurateError


def main(arguments: list[str] | None = None) -> int:
    """Run or serve the demo; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m curate.demo", description="Fetch, filter, check, train and ask.")
    parser.add_argument("--out", type=Path, default=Path("demo-run"), help="where the run goes (default: demo-run)")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("~/.cache/curate/demo"),
        help="where the pictures are kept (default: ~/.cache/curate/demo)",
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"of the web server (default: {PORT})")
    parser.add_argument("--serve", action="store_true", help="only serve the pictures, until Ctrl-C")
    options = parser.parse_args(arguments)
    demo = Demo(options.out, options.cache.expanduser().absolute(), options.port, _say)
    try:
        serve(demo) if options.serve else run(demo)
    except CurateError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
