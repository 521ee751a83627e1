"""`python -m curate.demo.text`: the command line of the text corpus."""

import argparse
import sys
from pathlib import Path

from curate.demo.terminal import say, status_of
from curate.demo.text.run import TextDemo, make


def main(arguments: list[str] | None = None) -> int:
    """Make the corpora; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m curate.demo.text",
        description="Make text corpora of real pages in several languages from a web archive and from jsonl.",
    )
    parser.add_argument("--out", type=Path, default=Path("text-run"), help="where they go (default: text-run)")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("~/.cache/curate/demo-text"),
        help="where the pages are kept (default: ~/.cache/curate/demo-text)",
    )
    options = parser.parse_args(arguments)
    return status_of(lambda: make(TextDemo(options.out, options.cache.expanduser().absolute(), say)))


if __name__ == "__main__":
    sys.exit(main())
