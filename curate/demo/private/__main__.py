"""`python -m curate.demo.private`: the command line of the proof."""

import argparse
import sys
from pathlib import Path

from curate.demo.private.run import Proof, prove
from curate.errors import CurateError


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
    try:
        prove(Proof(options.out, _say, options.share))
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
