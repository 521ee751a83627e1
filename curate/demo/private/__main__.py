"""`python -m curate.demo.private`: the command line of the proof."""

import argparse
import sys
from pathlib import Path

from curate.demo.private.run import Proof, prove
from curate.demo.terminal import say, status_of


def main(arguments: list[str] | None = None) -> int:
    """Run the proof; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m curate.demo.private",
        description="Plant made-up personal values in captions, pictures and speech, run pipelines/private_pairs.yaml, "
        "and search everything that comes out for every one of them.",
    )
    parser.add_argument("--out", type=Path, default=Path("private-run"), help="where it goes (default: private-run)")
    parser.add_argument("--share", type=float, default=1.0, help="of the 500 values, for a quicker look (default: 1)")
    options = parser.parse_args(arguments)
    return status_of(lambda: prove(Proof(options.out, say, options.share)))


if __name__ == "__main__":
    sys.exit(main())
