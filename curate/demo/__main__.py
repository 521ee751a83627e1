"""`python -m curate.demo`: the demo's command line."""

import argparse
import sys
from pathlib import Path

from curate.demo.run import Demo, run, serve
from curate.demo.server import PORT
from curate.demo.terminal import say, status_of


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
    demo = Demo(options.out, options.cache.expanduser().absolute(), options.port, say)
    return status_of(lambda: serve(demo) if options.serve else run(demo))


if __name__ == "__main__":
    sys.exit(main())
